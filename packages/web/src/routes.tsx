/** Which page lives where. Each page is a chunk of its own; consoles bring their libraries only when opened. */
import { createBrowserRouter, Navigate, type RouteObject } from 'react-router'
import { PageCrashed } from './shell/page-crashed.js'
import { Shell } from './shell/shell.js'

const adminPages: RouteObject[] = [
  { path: 'admin/hypervisors', lazy: async () => ({ Component: (await import('./admin/hypervisors-page.js')).HypervisorsPage }) },
  {
    path: 'admin/hypervisors/:hypervisorId',
    lazy: async () => ({ Component: (await import('./admin/hypervisor-page.js')).HypervisorPage }),
  },
  { path: 'admin/quotas', lazy: async () => ({ Component: (await import('./quotas/project-quotas-page.js')).ProjectQuotasPage }) },
  { path: 'admin/quotas/defaults', lazy: async () => ({ Component: (await import('./quotas/project-quota-page.js')).DefaultQuotaPage }) },
  { path: 'admin/quotas/:projectId', lazy: async () => ({ Component: (await import('./quotas/project-quota-page.js')).ProjectQuotaPage }) },
  { path: 'admin/users', lazy: async () => ({ Component: (await import('./admin/users-page.js')).UsersPage }) },
  { path: 'admin/users/:userId', lazy: async () => ({ Component: (await import('./admin/user-page.js')).UserPage }) },
  { path: 'admin/projects', lazy: async () => ({ Component: (await import('./admin/projects-page.js')).ProjectsPage }) },
  { path: 'admin/projects/:projectId', lazy: async () => ({ Component: (await import('./admin/project-page.js')).ProjectPage }) },
  { path: 'admin/audit', lazy: async () => ({ Component: (await import('./audit/audit-page.js')).AuditPage }) },
  { path: 'admin/services', lazy: async () => ({ Component: (await import('./admin/services-page.js')).ServicesPage }) },
]

export const router = createBrowserRouter([
  {
    path: '/sign-in',
    lazy: async () => ({ Component: (await import('./shell/sign-in-page.js')).SignInPage }),
    HydrateFallback: () => null,
    ErrorBoundary: PageCrashed,
  },
  {
    path: '/console/:serverId/:kind',
    lazy: async () => ({ Component: (await import('./consoles/console-page.js')).ConsolePage }),
    ErrorBoundary: PageCrashed,
    HydrateFallback: () => null,
  },
  {
    path: '/',
    Component: Shell,
    ErrorBoundary: PageCrashed,
    HydrateFallback: () => null,
    children: [
      {
        ErrorBoundary: PageCrashed,
        children: [
          { index: true, element: <Navigate to="/servers" replace /> },
          { path: 'servers', lazy: async () => ({ Component: (await import('./servers/servers-page.js')).ServersPage }) },
          { path: 'servers/new', lazy: async () => ({ Component: (await import('./launch/launch-page.js')).LaunchPage }) },
          { path: 'servers/:serverId/:tab?', lazy: async () => ({ Component: (await import('./servers/server-page.js')).ServerPage }) },
          { path: 'flavors', lazy: async () => ({ Component: (await import('./flavors/flavors-page.js')).FlavorsPage }) },
          { path: 'flavors/:flavorId', lazy: async () => ({ Component: (await import('./flavors/flavor-page.js')).FlavorPage }) },
          { path: 'images', lazy: async () => ({ Component: (await import('./images/images-page.js')).ImagesPage }) },
          { path: 'images/:imageId', lazy: async () => ({ Component: (await import('./images/image-page.js')).ImagePage }) },
          { path: 'keypairs', lazy: async () => ({ Component: (await import('./keypairs/keypairs-page.js')).KeypairsPage }) },
          { path: 'keypairs/:name', lazy: async () => ({ Component: (await import('./keypairs/keypair-page.js')).KeypairPage }) },
          { path: 'quotas', lazy: async () => ({ Component: (await import('./quotas/quotas-page.js')).QuotasPage }) },
          { path: 'activity', lazy: async () => ({ Component: (await import('./activity/activity-page.js')).ActivityPage }) },
          { path: 'account', lazy: async () => ({ Component: (await import('./account/account-page.js')).AccountPage }) },
          ...adminPages,
          { path: '*', lazy: async () => ({ Component: (await import('./shell/not-found-page.js')).NotFoundPage }) },
        ],
      },
    ],
  },
])
