/** The embedded identity service. */
import { defineEntity } from '@mikro-orm/core'
import { big, count, flag, id, json, name, text, time } from '../columns.js'

export const Project = defineEntity({
  name: 'Project',
  tableName: 'projects',
  properties: {
    id: id().primary(),
    name: name().unique(),
    description: text().nullable(),
    enabled: flag().default(1),
    tags: json(),
    generation: count().default(1),
    created_at: time(),
    updated_at: time(),
  },
})

export const User = defineEntity({
  name: 'User',
  tableName: 'users',
  properties: {
    id: id().primary(),
    name: name().unique(),
    password_hash: text().nullable(),
    password_changed_at: time().nullable(),
    email: name().nullable(),
    description: text().nullable(),
    enabled: flag().default(1),
    default_project_id: id().nullable(),
    last_login_at: time().nullable(),
    generation: count().default(1),
    created_at: time(),
    updated_at: time(),
  },
})

export const RoleAssignment = defineEntity({
  name: 'RoleAssignment',
  tableName: 'role_assignments',
  properties: { user_id: id().primary(), project_id: id().primary(), role: name().primary(), created_at: time() },
  indexes: [{ properties: ['project_id'] }],
})

/** A login. Tokens are stored as hashes; the refresh token changes at every use. */
export const Session = defineEntity({
  name: 'Session',
  tableName: 'sessions',
  properties: {
    id: id().primary(),
    user_id: id(),
    project_id: id().nullable(),
    access_hash: name().unique(),
    access_expires_at: time(),
    refresh_hash: name().unique(),
    /** The hash before the last rotation: its use within the grace is a lost answer, later it is theft. */
    previous_refresh_hash: name().nullable(),
    rotated_at: time(),
    refresh_expires_at: time(),
    created_at: time(),
  },
  indexes: [{ properties: ['user_id'] }, { properties: ['previous_refresh_hash'] }],
})

/** A key for programs: one user, one project, some of the roles. The secret is stored as a hash. */
export const ApplicationCredential = defineEntity({
  name: 'ApplicationCredential',
  tableName: 'application_credentials',
  properties: {
    id: id().primary(),
    user_id: id(),
    project_id: id(),
    name: name(),
    description: text().nullable(),
    secret_hash: name(),
    roles: json(),
    /** Null: every rule that the roles allow. */
    allowed_rules: json().nullable(),
    expires_at: time().nullable(),
    last_used_at: time().nullable(),
    created_at: time(),
    updated_at: time(),
  },
  uniques: [{ properties: ['user_id', 'name'] }],
  indexes: [{ properties: ['project_id'] }],
})

/** Whose rights have changed; every API process follows it. The version is counted up under a lock, so that none is seen late. */
export const RightsChange = defineEntity({
  name: 'RightsChange',
  tableName: 'rights_changes',
  properties: {
    version: big().primary(),
    /** session, user or project. */
    kind: name(),
    subject_id: id(),
    changed_at: time(),
  },
  indexes: [{ properties: ['changed_at'] }],
})
