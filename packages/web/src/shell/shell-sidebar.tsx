import { Nav, NavGroup, NavItem, NavList, PageSidebar, PageSidebarBody } from '@patternfly/react-core'
import { Link, useLocation } from 'react-router'
import { useMay } from '../lib/session-context.js'

const pages = [
  ['/servers', 'Servers'],
  ['/images', 'Images'],
  ['/flavors', 'Flavors'],
  ['/keypairs', 'Key pairs'],
  ['/activity', 'Activity'],
] as const

export function ShellSidebar() {
  const { pathname } = useLocation()
  const maySeeHypervisors = useMay('os_compute_api:os-hypervisors:list-detail')
  const maySeeServices = useMay('os_compute_api:os-services:list')
  const item = (to: string, label: string) => (
    <NavItem key={to} itemId={to} isActive={pathname === to || pathname.startsWith(`${to}/`)}>
      <Link to={to}>{label}</Link>
    </NavItem>
  )
  return (
    <PageSidebar>
      <PageSidebarBody>
        <Nav aria-label="Main">
          <NavList>{pages.map(([to, label]) => item(to, label))}</NavList>
          {maySeeHypervisors && (
            <NavGroup title="Administration">
              {item('/admin/hypervisors', 'Hypervisors')}
              {maySeeServices && item('/admin/services', 'Services')}
            </NavGroup>
          )}
        </Nav>
      </PageSidebarBody>
    </PageSidebar>
  )
}
