import { Nav, NavGroup, NavItem, NavList, PageSidebar, PageSidebarBody } from '@patternfly/react-core'
import { Link, useLocation } from 'react-router'
import { useViewer } from '../lib/session-context.js'
import { text } from '../text/text.js'
import { adminPages, type DashboardPage, openTo, projectPages } from './pages.js'

export function ShellSidebar() {
  const { pathname } = useLocation()
  const { allowedRules } = useViewer()
  const forAdmins = openTo(adminPages, allowedRules)
  const item = ({ path, label }: DashboardPage) => (
    <NavItem key={path} itemId={path} isActive={pathname === path || pathname.startsWith(`${path}/`)}>
      <Link to={path}>{label}</Link>
    </NavItem>
  )
  return (
    <PageSidebar>
      <PageSidebarBody>
        <Nav aria-label={text.shell.mainNavigation}>
          <NavList>{openTo(projectPages, allowedRules).map(item)}</NavList>
          {forAdmins.length > 0 && <NavGroup title={text.shell.administration}>{forAdmins.map(item)}</NavGroup>}
        </Nav>
      </PageSidebarBody>
    </PageSidebar>
  )
}
