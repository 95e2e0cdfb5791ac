/** Policy rules in force so far: Nova's names and new defaults (D-POL), upstream names for the embedded services, ours with `cloud:`. */
export interface PolicyRuleDefault {
  readonly check: string
  readonly description: string
}

const rule = (check: string, description: string): PolicyRuleDefault => ({ check, description })
const READER = 'rule:project_reader_or_admin'
const MEMBER = 'rule:project_member_or_admin'
const ADMIN = 'rule:context_is_admin'
const KEY_OWNER = 'rule:context_is_admin or user_id:%(user_id)s'

export const policyRules = {
  context_is_admin: rule('role:admin', 'Administrator of the cloud.'),
  project_member_api: rule('role:member and project_id:%(project_id)s', 'Member of the project.'),
  project_reader_api: rule('role:reader and project_id:%(project_id)s', 'Reader of the project.'),
  project_member_or_admin: rule('rule:project_member_api or rule:context_is_admin', 'Member or administrator.'),
  project_reader_or_admin: rule('rule:project_reader_api or rule:context_is_admin', 'Reader or administrator.'),

  'os_compute_api:servers:detail': rule(READER, 'List servers with details.'),
  'os_compute_api:servers:detail:get_all_tenants': rule(ADMIN, 'List servers of all projects.'),
  'os_compute_api:servers:allow_all_filters': rule(ADMIN, 'Use the filters for administrators.'),
  'os_compute_api:servers:show': rule(READER, 'Show a server.'),
  'os_compute_api:servers:show:flavor-extra-specs': rule(READER, 'See extra specs of a server’s flavor.'),
  'os_compute_api:servers:show:host_status': rule(ADMIN, 'See the status of a server’s host.'),
  'os_compute_api:servers:create': rule(MEMBER, 'Create a server.'),
  'compute:servers:create:requested_destination': rule(ADMIN, 'Create a server on a named host.'),
  'os_compute_api:servers:create:attach_network': rule(MEMBER, 'Create a server with networks.'),
  'os_compute_api:servers:create:zero_disk_flavor': rule(ADMIN, 'Boot an image on a flavor with disk 0.'),
  'os_compute_api:servers:delete': rule(MEMBER, 'Delete a server.'),
  'os_compute_api:servers:update': rule(MEMBER, 'Update a server.'),
  'os_compute_api:servers:start': rule(MEMBER, 'Start a server.'),
  'os_compute_api:servers:stop': rule(MEMBER, 'Stop a server.'),
  'os_compute_api:servers:reboot': rule(MEMBER, 'Reboot a server.'),
  'os_compute_api:os-pause-server:pause': rule(MEMBER, 'Pause a server.'),
  'os_compute_api:os-pause-server:unpause': rule(MEMBER, 'Unpause a server.'),
  'os_compute_api:os-suspend-server:suspend': rule(MEMBER, 'Suspend a server.'),
  'os_compute_api:os-suspend-server:resume': rule(MEMBER, 'Resume a server.'),
  'os_compute_api:os-lock-server:lock': rule(MEMBER, 'Lock a server.'),
  'os_compute_api:os-lock-server:unlock': rule(MEMBER, 'Unlock a server.'),
  'os_compute_api:os-lock-server:unlock:unlock_override': rule(ADMIN, 'Unlock a server that an administrator has locked.'),
  'os_compute_api:os-admin-actions:reset_state': rule(ADMIN, 'Force the state of a server.'),
  'os_compute_api:server-metadata:create': rule(MEMBER, 'Write metadata of a server.'),
  'os_compute_api:server-metadata:update_all': rule(MEMBER, 'Replace the metadata of a server.'),
  'os_compute_api:server-metadata:delete': rule(MEMBER, 'Delete metadata of a server.'),
  'os_compute_api:os-server-tags:update': rule(MEMBER, 'Tag a server.'),
  'os_compute_api:os-server-tags:update_all': rule(MEMBER, 'Replace the tags of a server.'),
  'os_compute_api:os-server-tags:delete': rule(MEMBER, 'Remove tags of a server.'),
  'os_compute_api:os-server-tags:delete_all': rule(MEMBER, 'Remove all tags of a server.'),
  'os_compute_api:os-console-output': rule(MEMBER, 'Read the console log of a server.'),
  'os_compute_api:os-remote-consoles': rule(MEMBER, 'Open a console of a server.'),
  'os_compute_api:os-extended-server-attributes': rule(ADMIN, 'See host and other inner attributes of a server.'),
  'os_compute_api:os-instance-actions:list': rule(READER, 'List operations.'),
  'os_compute_api:os-instance-actions:show': rule(READER, 'Show an operation.'),
  'os_compute_api:os-instance-actions:events': rule(ADMIN, 'See hosts and traces of an operation.'),
  'os_compute_api:os-instance-actions:events:details': rule(ADMIN, 'See fault messages of steps.'),

  'os_compute_api:os-flavor-extra-specs:index': rule(READER, 'See extra specs of a flavor.'),
  'os_compute_api:os-flavor-extra-specs:create': rule(ADMIN, 'Add extra specs to a flavor.'),
  'os_compute_api:os-flavor-extra-specs:update': rule(ADMIN, 'Change extra specs of a flavor.'),
  'os_compute_api:os-flavor-extra-specs:delete': rule(ADMIN, 'Remove extra specs of a flavor.'),
  'os_compute_api:os-flavor-access': rule(ADMIN, 'See private flavors and who may use them.'),
  'os_compute_api:os-flavor-access:add_tenant_access': rule(ADMIN, 'Let a project use a private flavor.'),
  'os_compute_api:os-flavor-access:remove_tenant_access': rule(ADMIN, 'Take a private flavor from a project.'),
  'os_compute_api:os-flavor-manage:create': rule(ADMIN, 'Create a flavor.'),
  'os_compute_api:os-flavor-manage:update': rule(ADMIN, 'Change a flavor.'),
  'os_compute_api:os-flavor-manage:delete': rule(ADMIN, 'Delete a flavor.'),

  'os_compute_api:os-keypairs:index': rule(KEY_OWNER, 'List key pairs.'),
  'os_compute_api:os-keypairs:show': rule(KEY_OWNER, 'Show a key pair.'),
  'os_compute_api:os-keypairs:create': rule(KEY_OWNER, 'Import or generate a key pair.'),
  'os_compute_api:os-keypairs:delete': rule(KEY_OWNER, 'Delete a key pair.'),

  'os_compute_api:os-hypervisors:list-detail': rule(ADMIN, 'List hypervisors.'),
  'os_compute_api:os-hypervisors:show': rule(ADMIN, 'Show a hypervisor.'),
  'os_compute_api:os-hypervisors:uptime': rule(ADMIN, 'See the uptime of a hypervisor.'),
  'os_compute_api:os-hypervisors:servers': rule(ADMIN, 'List servers of a hypervisor.'),
  'os_compute_api:os-hosts:show': rule(ADMIN, 'See the usage of a host.'),
  'os_compute_api:os-services:list': rule(ADMIN, 'List services.'),

  'os_compute_api:limits': rule('@', 'See limits and use of one’s project.'),
  'os_compute_api:limits:other_project': rule(ADMIN, 'See limits and use of another project.'),
  'os_compute_api:os-quota-sets:detail': rule(READER, 'See the quota of a project and its use.'),
  'os_compute_api:os-quota-sets:defaults': rule('@', 'See the default quota.'),
  'os_compute_api:os-quota-sets:update': rule(ADMIN, 'Change the quota of a project.'),
  'os_compute_api:os-quota-sets:delete': rule(ADMIN, 'Reset the quota of a project.'),
  'os_compute_api:os-quota-class-sets:show': rule(ADMIN, 'See the stored default quota.'),
  'os_compute_api:os-quota-class-sets:update': rule(ADMIN, 'Change the default quota.'),
  'os_compute_api:os-simple-tenant-usage:show': rule(READER, 'See the usage of a project over time.'),
  'os_compute_api:os-simple-tenant-usage:list': rule(ADMIN, 'See the usage of all projects over time.'),
  'os_compute_api:os-instance-usage-audit-log:list': rule(ADMIN, 'See the last usage audit.'),
  'os_compute_api:os-instance-usage-audit-log:show': rule(ADMIN, 'See an earlier usage audit.'),

  'identity:get_project': rule('rule:context_is_admin or project_id:%(project_id)s', 'Show a project.'),
  'identity:list_projects': rule('@', 'List projects; all for administrators, one’s own for others.'),
  'identity:create_project': rule(ADMIN, 'Create a project.'),
  'identity:update_project': rule(ADMIN, 'Change a project.'),
  'identity:delete_project': rule(ADMIN, 'Delete a project.'),
  'identity:get_user': rule('rule:context_is_admin or user_id:%(user_id)s', 'Show a user.'),
  'identity:list_users': rule(ADMIN, 'List users.'),
  'identity:create_user': rule(ADMIN, 'Create a user.'),
  'identity:update_user': rule(ADMIN, 'Change a user.'),
  'identity:delete_user': rule(ADMIN, 'Delete a user.'),
  'identity:list_role_assignments': rule(ADMIN, 'List role assignments.'),
  'identity:create_grant': rule(ADMIN, 'Give a role.'),
  'identity:revoke_grant': rule(ADMIN, 'Take a role away.'),
  'identity:list_application_credentials': rule(ADMIN, 'List application credentials of other users.'),
  'identity:create_application_credential': rule('user_id:%(user_id)s', 'Create an application credential for oneself.'),
  'identity:delete_application_credential': rule(KEY_OWNER, 'Delete an application credential.'),

  'image:get_image': rule(READER, 'Show an image.'),
  'image:get_images': rule(READER, 'List images.'),
  'image:add_image': rule(MEMBER, 'Create an image.'),
  'image:upload_image': rule(MEMBER, 'Upload data of an image.'),
  'image:download_image': rule(READER, 'Download data of an image.'),
  'image:delete_image': rule(MEMBER, 'Delete an image.'),
  'image:modify_image': rule(MEMBER, 'Change an image.'),
  'image:publicize_image': rule(ADMIN, 'Make an image public.'),
  'image:communitize_image': rule(MEMBER, 'Make an image usable by everybody who knows its id.'),
  'image:deactivate': rule(ADMIN, 'Stop or allow again downloads and launches of an image.'),
  'image:get_members': rule(READER, 'See the projects an image is shared with.'),
  'image:add_member': rule(MEMBER, 'Share an image with a project.'),
  'image:delete_member': rule(MEMBER, 'Stop sharing an image with a project.'),
  'image:modify_member': rule(MEMBER, 'Accept or reject an image shared with the own project.'),

  'network:get_network': rule(READER, 'List and show networks.'),
  'network:get_network:provider:network_type': rule(ADMIN, 'See the type of a network.'),
  'network:attach_external_network': rule(ADMIN, 'Attach a server to an external network.'),
  'cloud:networks:all_projects': rule(ADMIN, 'List networks of other projects.'),

  'cloud:operations:cancel': rule(MEMBER, 'Ask an operation to stop.'),
  'cloud:audit:read': rule(READER, 'Read the record of who did what in the project; in all projects for administrators.'),
  'cloud:events:read': rule(READER, 'Read events.'),
  'cloud:events:all_projects': rule(ADMIN, 'Read events of all projects.'),
} as const satisfies Record<string, PolicyRuleDefault>

export type PolicyRuleName = keyof typeof policyRules

export const isPolicyRuleName = (name: string): name is PolicyRuleName => Object.hasOwn(policyRules, name)
