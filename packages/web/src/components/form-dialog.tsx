/** A dialog with a form: Enter sends it, a refusal is shown at the field it is about and keeps what was typed. */
import { Alert, Button, Form, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core'
import { type FormEvent, type ReactNode, useId, useRef, useState } from 'react'
import { type FormErrors, formErrors } from '../lib/problem.js'
import { showErrors } from './show-errors.js'

interface FormDialogProps<Field extends string> {
  title: string
  submitLabel: string
  cancelLabel: string
  /** What is wrong with the input, before it is sent. */
  check?: () => Partial<Record<Field, string>>
  /** Sends it; what it throws is shown. */
  onSubmit: () => Promise<void>
  fieldFor?: (path: string) => Field | null
  onClose: () => void
  children: (errors: Partial<Record<Field, string>>) => ReactNode
}

export function FormDialog<Field extends string>(props: FormDialogProps<Field>) {
  const { title, submitLabel, cancelLabel, check, onSubmit, fieldFor = () => null, onClose, children } = props
  const id = useId()
  const form = useRef<HTMLFormElement>(null)
  const [errors, setErrors] = useState<FormErrors<Field>>({ fields: {}, general: null })
  const [busy, setBusy] = useState(false)
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    event.stopPropagation()
    const found = check?.() ?? {}
    if (Object.keys(found).length > 0) return showErrors(form.current, () => setErrors({ fields: found, general: null }))
    setErrors({ fields: {}, general: null })
    setBusy(true)
    try {
      await onSubmit()
      onClose()
    } catch (error) {
      showErrors(form.current, () => {
        setErrors(formErrors(error, fieldFor))
        setBusy(false)
      })
    }
  }
  return (
    <Modal isOpen variant="small" onClose={onClose} aria-labelledby={`${id}-title`}>
      <ModalHeader title={title} labelId={`${id}-title`} />
      <ModalBody>
        <Form id={`${id}-form`} ref={form} onSubmit={(event) => void submit(event)} noValidate>
          {errors.general !== null && <Alert component="p" isInline isLiveRegion variant="danger" title={errors.general} />}
          {children(errors.fields)}
        </Form>
      </ModalBody>
      <ModalFooter>
        <Button type="submit" form={`${id}-form`} isDisabled={busy} isLoading={busy}>
          {submitLabel}
        </Button>
        <Button variant="link" onClick={onClose}>
          {cancelLabel}
        </Button>
      </ModalFooter>
    </Modal>
  )
}
