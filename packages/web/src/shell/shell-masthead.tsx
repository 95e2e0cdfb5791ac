/** Top of every page: brand, project, connection, theme, user. */
import {
  Divider,
  Dropdown,
  DropdownGroup,
  DropdownItem,
  DropdownList,
  Label,
  Masthead,
  MastheadBrand,
  MastheadContent,
  MastheadMain,
  MastheadToggle,
  MenuToggle,
  PageToggleButton,
  Toolbar,
  ToolbarContent,
  ToolbarGroup,
  ToolbarItem,
} from '@patternfly/react-core'
import BarsIcon from '@patternfly/react-icons/dist/esm/icons/bars-icon'
import { useEffect, useState } from 'react'
import { Link, useNavigate } from 'react-router'
import { dropDrafts } from '../launch/draft.js'
import { problemOf } from '../lib/problem.js'
import { useSessionStore, useViewer } from '../lib/session-context.js'
import { chooseTheme, readTheme, type ThemeChoice } from '../lib/theme.js'
import { showToast } from '../lib/toasts.js'
import { useLiveConnected } from '../lib/use-live.js'

const themes: [ThemeChoice, string][] = [
  ['system', 'As the system'],
  ['light', 'Light'],
  ['dark', 'Dark'],
]

export function ShellMasthead() {
  return (
    <Masthead>
      <MastheadMain>
        <MastheadToggle>
          <PageToggleButton variant="plain" aria-label="Pages menu">
            <BarsIcon />
          </PageToggleButton>
        </MastheadToggle>
        <MastheadBrand>
          <Link to="/servers" className="kn-brand">
            <img src="/favicon.svg" alt="" width={28} height={28} />
            <span>Kilonova</span>
          </Link>
        </MastheadBrand>
      </MastheadMain>
      <MastheadContent>
        <Toolbar isStatic ouiaId="masthead" className="kn-masthead-tools">
          <ToolbarContent>
            <ToolbarGroup align={{ default: 'alignEnd' }}>
              <ToolbarItem>
                <ConnectionLabel />
              </ToolbarItem>
              <ToolbarItem>
                <ProjectMenu />
              </ToolbarItem>
              <ToolbarItem>
                <UserMenu />
              </ToolbarItem>
            </ToolbarGroup>
          </ToolbarContent>
        </Toolbar>
      </MastheadContent>
    </Masthead>
  )
}

/** A socket is replaced now and then; only a break that lasts is worth telling. */
const brokenAfterMs = 3000

function ConnectionLabel() {
  const connected = useLiveConnected()
  const [broken, setBroken] = useState(false)
  useEffect(() => {
    if (connected) {
      setBroken(false)
      return
    }
    const timer = setTimeout(() => setBroken(true), brokenAfterMs)
    return () => clearTimeout(timer)
  }, [connected])
  return (
    <span role="status">
      {broken && (
        <Label status="warning" isCompact>
          Reconnecting
        </Label>
      )}
    </span>
  )
}

function ProjectMenu() {
  const { project, projects } = useViewer()
  const store = useSessionStore()
  const navigate = useNavigate()
  const [open, setOpen] = useState(false)
  if (projects.length < 2) return <span className="kn-project">Project: {project?.name ?? 'none'}</span>
  const change = async (id: string): Promise<void> => {
    setOpen(false)
    if (id === project?.id) return
    try {
      await store.changeProject(id)
      await navigate('/servers')
    } catch (error) {
      showToast('danger', 'The project could not be changed.', problemOf(error).message)
    }
  }
  return (
    <Dropdown
      isOpen={open}
      onOpenChange={setOpen}
      isScrollable
      popperProps={{ position: 'right' }}
      toggle={(ref) => (
        <MenuToggle ref={ref} isExpanded={open} onClick={() => setOpen(!open)} className="kn-project">
          Project: {project?.name ?? 'none'}
        </MenuToggle>
      )}
    >
      <DropdownList>
        {projects.map((one) => (
          <DropdownItem key={one.id} isSelected={one.id === project?.id} onClick={() => void change(one.id)}>
            {one.name}
          </DropdownItem>
        ))}
      </DropdownList>
    </Dropdown>
  )
}

function UserMenu() {
  const { user } = useViewer()
  const store = useSessionStore()
  const [open, setOpen] = useState(false)
  const [theme, setTheme] = useState(readTheme)
  const signOut = async (): Promise<void> => {
    dropDrafts()
    try {
      await store.signOut()
    } catch (error) {
      showToast('danger', 'The cloud could not be told that you signed out.', problemOf(error).message)
    }
  }
  return (
    <Dropdown
      isOpen={open}
      onOpenChange={setOpen}
      popperProps={{ position: 'right' }}
      toggle={(ref) => (
        <MenuToggle ref={ref} variant="plainText" isExpanded={open} onClick={() => setOpen(!open)} aria-label={`User menu of ${user.name}`}>
          {user.name}
        </MenuToggle>
      )}
    >
      <DropdownGroup label="Appearance">
        <DropdownList aria-label="Appearance">
          {themes.map(([choice, label]) => (
            <DropdownItem
              key={choice}
              isSelected={theme === choice}
              onClick={() => {
                chooseTheme(choice)
                setTheme(choice)
                setOpen(false)
              }}
            >
              {label}
            </DropdownItem>
          ))}
        </DropdownList>
      </DropdownGroup>
      <Divider />
      <DropdownList aria-label="Session">
        <DropdownItem onClick={() => void signOut()}>Sign out</DropdownItem>
      </DropdownList>
    </Dropdown>
  )
}
