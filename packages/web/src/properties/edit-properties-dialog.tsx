/** Changes all extra specs of a flavor, or all properties of an image; what somebody else changed meanwhile is not overwritten unseen. */
import { Alert, Button, Form, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core'
import { type FormEvent, useId, useRef, useState } from 'react'
import { type KeyValueRow, newRow } from '../components/key-value-rows.js'
import { showErrors } from '../components/show-errors.js'
import { problemOf } from '../lib/problem.js'
import { faultAt, faultsOf, PropertyRows, type RowFaults, typedRows } from './property-rows.js'
import type { Definition } from './property-rules.js'

export interface PropertyChange {
  changed: { key: string; value: string }[]
  removed: string[]
}

interface EditPropertiesDialogProps {
  title: string
  hint: string
  noun: string
  saveLabel: string
  cancelLabel: string
  before: readonly { key: string; value: string }[]
  definitions: readonly Definition[]
  /** The list of the input that the changed ones are sent in, as the cloud names it when it refuses one. */
  field: string
  save: (change: PropertyChange) => Promise<void>
  onClose: () => void
}

const noFaults: RowFaults = new Map()

export function EditPropertiesDialog(props: EditPropertiesDialogProps) {
  const { title, hint, noun, saveLabel, cancelLabel, before, definitions, field, save, onClose } = props
  const id = useId()
  const form = useRef<HTMLFormElement>(null)
  const [rows, setRows] = useState<KeyValueRow[]>(() =>
    before.length === 0 ? [newRow()] : before.map(({ key, value }) => newRow(key, value)),
  )
  const [faults, setFaults] = useState(noFaults)
  const [failure, setFailure] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  // What was there when the dialog opened is what the rows are compared with, whatever arrives meanwhile.
  const [opened] = useState(before)

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    event.stopPropagation()
    setFailure(null)
    const wanted = typedRows(rows)
    const wasThere = ({ key, value }: KeyValueRow): boolean => opened.some((item) => item.key === key && item.value === value)
    const sent = wanted.filter((row) => !wasThere(row))
    // What stays as it is need not please a catalog that came after it.
    const wrong = new Map([...faultsOf(rows, definitions)].filter(([row, { at }]) => at === 'key' || sent.some((one) => one.id === row)))
    if (wrong.size > 0) return showErrors(form.current, () => setFaults(wrong))
    setFaults(noFaults)
    const removed = opened.map(({ key }) => key).filter((key) => !wanted.some((row) => row.key === key))
    if (sent.length === 0 && removed.length === 0) return onClose()
    setBusy(true)
    try {
      await save({ changed: sent.map(({ key, value }) => ({ key, value })), removed })
      onClose()
    } catch (error) {
      const problem = problemOf(error)
      const refused = faultAt(problem.fields, field, sent, problem.message)
      showErrors(form.current, () => {
        if (refused === null) setFailure(problem.message)
        else setFaults(refused)
        setBusy(false)
      })
    }
  }
  return (
    <Modal isOpen variant="medium" onClose={onClose} aria-labelledby={`${id}-title`}>
      <ModalHeader title={title} labelId={`${id}-title`} description={hint} />
      <ModalBody>
        <Form id={`${id}-form`} ref={form} onSubmit={(event) => void submit(event)} noValidate>
          {failure !== null && <Alert component="p" isInline isLiveRegion variant="danger" title={failure} />}
          <PropertyRows id="specs" noun={noun} rows={rows} onChange={setRows} definitions={definitions} faults={faults} />
        </Form>
      </ModalBody>
      <ModalFooter>
        <Button type="submit" form={`${id}-form`} isLoading={busy} isDisabled={busy}>
          {saveLabel}
        </Button>
        <Button variant="link" onClick={onClose}>
          {cancelLabel}
        </Button>
      </ModalFooter>
    </Modal>
  )
}
