/** The menu of a row. What cannot be done now stays in the menu, disabled, with the reason in plain sight. */
import { Divider, Dropdown, DropdownItem, DropdownList, MenuToggle } from '@patternfly/react-core'
import EllipsisVIcon from '@patternfly/react-icons/dist/esm/icons/ellipsis-v-icon'
import { useState } from 'react'
import { problemOf } from '../lib/problem.js'
import { showToast } from '../lib/toasts.js'
import { text } from '../text/text.js'

export interface RowAction {
  label: string
  onSelect: () => void
  /** Why it cannot be done now. */
  disabledReason?: string | null | undefined
  isDanger?: boolean
}

interface RowActionsProps {
  /** What the actions are for, as the button's name: "Actions for web-1". */
  label: string
  /** A function is asked before the menu opens: a long list need not know every menu beforehand. */
  actions: readonly RowAction[] | (() => Promise<readonly RowAction[]>)
  /** A button with text instead of three dots. */
  text?: string
}

export function RowActions({ label, actions, text: name }: RowActionsProps) {
  const [open, setOpen] = useState(false)
  const [asking, setAsking] = useState(false)
  const [answered, setAnswered] = useState<readonly RowAction[]>([])
  const toggle = async (): Promise<void> => {
    if (open || typeof actions !== 'function') return setOpen(!open)
    setAsking(true)
    try {
      setAnswered(await actions())
      setOpen(true)
    } catch (error) {
      showToast('danger', text.servers.actionsUnknown, problemOf(error).message)
    } finally {
      setAsking(false)
    }
  }
  return (
    <Dropdown
      isOpen={open}
      onOpenChange={setOpen}
      onSelect={() => setOpen(false)}
      popperProps={{ position: 'right', appendTo: () => document.body }}
      shouldFocusToggleOnSelect
      toggle={(ref) => (
        <MenuToggle
          ref={ref}
          variant={name === undefined ? 'plain' : 'default'}
          aria-label={label}
          isExpanded={open}
          aria-busy={asking}
          onClick={() => void toggle()}
          icon={name === undefined ? <EllipsisVIcon /> : undefined}
        >
          {name}
        </MenuToggle>
      )}
    >
      <DropdownList>
        {(typeof actions === 'function' ? answered : actions).flatMap((action) => {
          const disabled = action.disabledReason !== null && action.disabledReason !== undefined
          const item = (
            <DropdownItem
              key={action.label}
              isAriaDisabled={disabled}
              isDanger={action.isDanger === true && !disabled}
              description={disabled ? action.disabledReason : undefined}
              onClick={() => {
                if (!disabled) action.onSelect()
              }}
            >
              {action.label}
            </DropdownItem>
          )
          return action.isDanger === true ? [<Divider key={`${action.label}-line`} component="li" />, item] : [item]
        })}
      </DropdownList>
    </Dropdown>
  )
}
