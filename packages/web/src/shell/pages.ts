/** The pages that the navigation and the command palette lead to, each with the policy rule that admits to it. */
import { text } from '../text/text.js'

export interface DashboardPage {
  path: string
  label: string
  /** Who fails this rule is not shown the way; null: everybody. */
  rule: string | null
}

const { pages } = text.shell

export const projectPages: readonly DashboardPage[] = [
  { path: '/servers', label: pages.servers, rule: null },
  { path: '/images', label: pages.images, rule: null },
  { path: '/flavors', label: pages.flavors, rule: null },
  { path: '/keypairs', label: pages.keypairs, rule: null },
  { path: '/quotas', label: pages.quotas, rule: null },
  { path: '/activity', label: pages.activity, rule: null },
  { path: '/admin/audit', label: pages.audit, rule: 'cloud:audit:read' },
]

export const adminPages: readonly DashboardPage[] = [
  { path: '/admin/users', label: pages.users, rule: 'identity:list_users' },
  { path: '/admin/projects', label: pages.projects, rule: 'identity:create_project' },
  { path: '/admin/hypervisors', label: pages.hypervisors, rule: 'os_compute_api:os-hypervisors:list-detail' },
  { path: '/admin/services', label: pages.services, rule: 'os_compute_api:os-services:list' },
  { path: '/admin/quotas', label: pages.projectQuotas, rule: 'os_compute_api:os-quota-sets:update' },
]

/** Pages that stand in no navigation, because another page leads to them. */
export const otherPages: readonly DashboardPage[] = [
  { path: '/servers/new', label: pages.launch, rule: 'os_compute_api:servers:create' },
  { path: '/account', label: pages.account, rule: null },
]

export const openTo = (pagesToSee: readonly DashboardPage[], allowedRules: readonly string[]): DashboardPage[] =>
  pagesToSee.filter(({ rule }) => rule === null || allowedRules.includes(rule))
