/** Which project is worked in. All tabs change together: they share one login. */
import { Dropdown, DropdownItem, DropdownList, MenuSearch, MenuSearchInput, MenuToggle, SearchInput } from '@patternfly/react-core'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import { problemOf } from '../lib/problem.js'
import { useSessionStore, useViewer } from '../lib/session-context.js'
import { showToast } from '../lib/toasts.js'
import { text } from '../text/text.js'

const words = text.shell.project
/** More than these are found by typing, not by looking. */
const atAGlance = 8

export function ProjectMenu() {
  const { project, projects } = useViewer()
  const store = useSessionStore()
  const navigate = useNavigate()
  const [open, setOpen] = useState(false)
  const [wanted, setWanted] = useState('')
  const label = words.current(project?.name ?? words.none)
  if (projects.length < 2) return <span className="kn-project">{label}</span>

  const change = async (id: string): Promise<void> => {
    setOpen(false)
    if (id === project?.id) return
    // A list or a form is as good in another project; a thing of this one is not there, nor is a page of its list.
    const isOfOneThing = /^\/(servers|images|admin\/\w+)\/(?!new$)./.test(location.pathname)
    const to = isOfOneThing ? '/servers' : location.pathname
    try {
      await store.changeProject(id)
      await navigate(to)
    } catch (error) {
      showToast('danger', words.notChanged, problemOf(error).message)
    }
  }
  const shown = projects.filter(({ name }) => name.toLowerCase().includes(wanted.trim().toLowerCase()))
  return (
    <Dropdown
      isOpen={open}
      onOpenChange={(next) => {
        setOpen(next)
        setWanted('')
      }}
      isScrollable
      popperProps={{ position: 'right' }}
      toggle={(ref) => (
        <MenuToggle ref={ref} isExpanded={open} onClick={() => setOpen(!open)} className="kn-project">
          {label}
        </MenuToggle>
      )}
    >
      {projects.length > atAGlance && (
        <MenuSearch>
          <MenuSearchInput>
            <SearchInput
              aria-label={words.find}
              value={wanted}
              onChange={(_event, value) => setWanted(value)}
              onClear={() => setWanted('')}
            />
          </MenuSearchInput>
        </MenuSearch>
      )}
      <DropdownList aria-label={words.list}>
        {shown.map((one) => (
          <DropdownItem key={one.id} isSelected={one.id === project?.id} onClick={() => void change(one.id)}>
            {one.name}
          </DropdownItem>
        ))}
        {shown.length === 0 && <DropdownItem isDisabled>{words.noneMatch}</DropdownItem>}
      </DropdownList>
    </Dropdown>
  )
}
