/** A menu of named filters of a list: choose one, keep what is shown now, remove one. */
import { Divider, Dropdown, DropdownGroup, DropdownItem, DropdownList, MenuItemAction, MenuToggle } from '@patternfly/react-core'
import TrashIcon from '@patternfly/react-icons/dist/esm/icons/trash-icon'
import { useState } from 'react'
import { ProblemError } from '../lib/problem.js'
import { useSavedViews } from '../lib/saved-views.js'
import { showToast } from '../lib/toasts.js'
import { text } from '../text/text.js'
import { TextField } from './fields.js'
import { FormDialog } from './form-dialog.js'

const words = text.servers.saved

interface SavedViewsMenuProps {
  /** Which list: filters of one are of no use to another. */
  list: string
  /** What is shown now. */
  current: string
  onShow: (query: string) => void
}

export function SavedViewsMenu({ list, current, onShow }: SavedViewsMenuProps) {
  const { views, save, remove } = useSavedViews(list)
  const [open, setOpen] = useState(false)
  const [naming, setNaming] = useState(false)
  const [name, setName] = useState('')
  const taken = views.some((view) => view.name === name.trim())
  return (
    <>
      <Dropdown
        isOpen={open}
        onOpenChange={setOpen}
        isScrollable
        popperProps={{ appendTo: 'inline' }}
        shouldFocusToggleOnSelect
        toggle={(ref) => (
          <MenuToggle ref={ref} isExpanded={open} onClick={() => setOpen(!open)}>
            {words.menu}
          </MenuToggle>
        )}
      >
        <DropdownGroup>
          <DropdownList aria-label={words.menu}>
            {views.map((view) => (
              <DropdownItem
                key={view.name}
                isSelected={view.query === current}
                onClick={() => {
                  setOpen(false)
                  onShow(view.query)
                }}
                actions={
                  <MenuItemAction
                    icon={<TrashIcon />}
                    aria-label={words.remove(view.name)}
                    onClick={() => {
                      if (remove(view.name)) showToast('info', words.removed(view.name))
                    }}
                  />
                }
              >
                {view.name}
              </DropdownItem>
            ))}
            {views.length === 0 && <DropdownItem isAriaDisabled>{words.none}</DropdownItem>}
          </DropdownList>
        </DropdownGroup>
        <Divider />
        <DropdownList aria-label={words.save}>
          <DropdownItem
            onClick={() => {
              setOpen(false)
              setName('')
              setNaming(true)
            }}
          >
            {words.save}…
          </DropdownItem>
        </DropdownList>
      </Dropdown>
      {naming && (
        <FormDialog<'name'>
          title={words.save}
          submitLabel={words.submit}
          cancelLabel={text.servers.cancel}
          check={(): { name?: string } => (name.trim() === '' ? { name: words.nameMissing } : {})}
          onSubmit={async () => {
            if (!save({ name: name.trim(), query: current })) throw new ProblemError(words.notKept, { code: 'INTERNAL' })
          }}
          onClose={() => setNaming(false)}
        >
          {(errors) => (
            <TextField
              id="saved-view-name"
              label={words.name}
              value={name}
              onChange={setName}
              isRequired
              error={errors.name}
              help={taken ? words.nameTaken : words.nameHelp}
            />
          )}
        </FormDialog>
      )}
    </>
  )
}
