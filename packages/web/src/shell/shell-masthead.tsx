/** Top of every page: brand, project, connection, theme, user. */
import {
  Button,
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
import SearchIcon from '@patternfly/react-icons/dist/esm/icons/search-icon'
import { useEffect, useState } from 'react'
import { Link, useNavigate } from 'react-router'
import { dropDrafts } from '../launch/draft.js'
import { problemOf } from '../lib/problem.js'
import { useSessionStore, useViewer } from '../lib/session-context.js'
import { chooseTheme, readTheme, type ThemeChoice } from '../lib/theme.js'
import { showToast } from '../lib/toasts.js'
import { useLiveConnected } from '../lib/use-live.js'
import { text } from '../text/text.js'
import { openPalette } from './command-palette.js'
import { ProjectMenu } from './project-menu.js'

const words = text.shell
const themes: readonly ThemeChoice[] = ['system', 'light', 'dark']
/** Shown only; both keys work everywhere. */
const shortcut = /Mac|iPhone|iPad/.test(navigator.userAgent) ? '⌘K' : 'Ctrl K'

export function ShellMasthead() {
  return (
    <Masthead>
      <MastheadMain>
        <MastheadToggle>
          <PageToggleButton variant="plain" aria-label={words.pagesMenu}>
            <BarsIcon />
          </PageToggleButton>
        </MastheadToggle>
        <MastheadBrand>
          <Link to="/servers" className="kn-brand">
            <img src="/favicon.svg" alt="" width={28} height={28} />
            <span>{words.brand}</span>
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
                <Button variant="control" icon={<SearchIcon />} aria-keyshortcuts="Control+K Meta+K" onClick={openPalette}>
                  <span className="kn-wide-only">
                    {words.palette.openShort} <kbd className="kn-keys kn-muted kn-small">{shortcut}</kbd>
                  </span>
                </Button>
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
          {words.reconnecting}
        </Label>
      )}
    </span>
  )
}

function UserMenu() {
  const { user } = useViewer()
  const navigate = useNavigate()
  const store = useSessionStore()
  const [open, setOpen] = useState(false)
  const [theme, setTheme] = useState(readTheme)
  const signOut = async (): Promise<void> => {
    dropDrafts()
    try {
      await store.signOut()
    } catch (error) {
      showToast('danger', words.user.signOutUnheard, problemOf(error).message)
    }
  }
  return (
    <Dropdown
      isOpen={open}
      onOpenChange={setOpen}
      popperProps={{ position: 'right' }}
      toggle={(ref) => (
        <MenuToggle
          ref={ref}
          variant="plainText"
          isExpanded={open}
          onClick={() => setOpen(!open)}
          aria-label={words.user.menuOf(user.name)}
        >
          {user.name}
        </MenuToggle>
      )}
    >
      <DropdownGroup label={words.user.appearance}>
        <DropdownList aria-label={words.user.appearance}>
          {themes.map((choice) => (
            <DropdownItem
              key={choice}
              isSelected={theme === choice}
              onClick={() => {
                chooseTheme(choice)
                setTheme(choice)
                setOpen(false)
              }}
            >
              {words.user.themes[choice]}
            </DropdownItem>
          ))}
        </DropdownList>
      </DropdownGroup>
      <Divider />
      <DropdownList aria-label={words.user.session}>
        <DropdownItem
          onClick={() => {
            setOpen(false)
            void navigate('/account')
          }}
        >
          {words.pages.account}
        </DropdownItem>
        <DropdownItem onClick={() => void signOut()}>{words.user.signOut}</DropdownItem>
      </DropdownList>
    </Dropdown>
  )
}
