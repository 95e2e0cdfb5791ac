/** Stores a public key; used by the key pairs page and inside the launch page. */
import { useMutation } from '@apollo/client/react'
import { Alert, Button, Form, FormGroup, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core'
import { type FormEvent, useId, useRef, useState } from 'react'
import { SelectField, TextAreaField, TextField } from '../components/fields.js'
import { showErrors } from '../components/show-errors.js'
import type { KeypairType } from '../generated/graphql.js'
import { randomKey } from '../lib/keys.js'
import { type FormErrors, formErrors } from '../lib/problem.js'
import { text } from '../text/text.js'
import { importKeypairMutation } from './keypair.documents.js'
import { nameRule } from './name-rule.js'

const words = text.keypairs.import

type FieldName = 'name' | 'publicKey' | 'type'
const noErrors: FormErrors<FieldName> = { fields: {}, general: null }
const fields: readonly string[] = ['name', 'publicKey', 'type']
const fieldFor = (path: string): FieldName | null => {
  const field = path.replace(/^input\./, '')
  return fields.includes(field) ? (field as FieldName) : null
}

export function ImportKeypairDialog({ onClose, onImported }: { onClose: () => void; onImported: (name: string) => void }) {
  const formId = useId()
  const form = useRef<HTMLFormElement>(null)
  const [name, setName] = useState('')
  const [type, setType] = useState<KeypairType>('SSH')
  const [publicKey, setPublicKey] = useState('')
  const [errors, setErrors] = useState(noErrors)
  const [importKeypair, { loading }] = useMutation(importKeypairMutation)

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    event.stopPropagation()
    const found: FormErrors<FieldName>['fields'] = {}
    if (!nameRule.test(name)) found.name = text.keypairs.nameRule
    if (publicKey.trim() === '') found.publicKey = words.publicKeyMissing
    else if (publicKey.includes('PRIVATE KEY')) found.publicKey = words.isPrivate
    if (Object.keys(found).length > 0) return showErrors(form.current, () => setErrors({ fields: found, general: null }))
    setErrors(noErrors)
    try {
      await importKeypair({ variables: { input: { name, type, publicKey: publicKey.trim(), idempotencyKey: randomKey() } } })
      onImported(name)
      onClose()
    } catch (error) {
      showErrors(form.current, () => setErrors(formErrors(error, fieldFor)))
    }
  }
  return (
    <Modal isOpen variant="medium" onClose={onClose} aria-labelledby="import-title">
      <ModalHeader title={words.title} labelId="import-title" />
      <ModalBody>
        <Form id={formId} ref={form} onSubmit={(event) => void submit(event)} noValidate>
          {errors.general !== null && <Alert component="p" isInline isLiveRegion variant="danger" title={errors.general} />}
          <TextField id="keypair-name" label={text.keypairs.name} value={name} onChange={setName} error={errors.fields.name} isRequired />
          <SelectField
            id="keypair-type"
            label={text.keypairs.kind}
            value={type}
            onChange={(value) => setType(value === 'X509' ? 'X509' : 'SSH')}
            options={[
              { value: 'SSH', label: words.kinds.SSH },
              { value: 'X509', label: words.kinds.X509 },
            ]}
            error={errors.fields.type}
          />
          <TextAreaField
            id="keypair-public-key"
            label={text.keypairs.publicKey}
            value={publicKey}
            onChange={setPublicKey}
            error={errors.fields.publicKey}
            help={words.publicKeyHint}
            isRequired
          />
          <FormGroup label={words.orFromFile} fieldId="keypair-file">
            <input
              id="keypair-file"
              type="file"
              accept=".pub,.pem,.crt,.txt"
              onChange={(event) => {
                const [file] = event.target.files ?? []
                if (file === undefined) return
                if (file.size > 65_536) setErrors({ fields: { publicKey: words.tooLarge }, general: null })
                else void file.text().then(setPublicKey)
              }}
            />
          </FormGroup>
        </Form>
      </ModalBody>
      <ModalFooter>
        <Button type="submit" form={formId} isLoading={loading} isDisabled={loading}>
          {words.submit}
        </Button>
        <Button variant="link" onClick={onClose}>
          {text.keypairs.cancel}
        </Button>
      </ModalFooter>
    </Modal>
  )
}
