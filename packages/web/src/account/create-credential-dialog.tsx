/** Makes an application credential with some or all of one's roles. */
import { useMutation } from '@apollo/client/react'
import { Checkbox, FormGroup, TextInput } from '@patternfly/react-core'
import { useState } from 'react'
import { FieldMessage, TextField } from '../components/fields.js'
import { FormDialog } from '../components/form-dialog.js'
import { randomKey } from '../lib/keys.js'
import { useViewer } from '../lib/session-context.js'
import { text } from '../text/text.js'
import { createCredentialMutation } from './account.documents.js'

const words = text.identity.credentials
const { columns } = text.identity

export interface MadeCredential {
  id: string
  name: string
  secret: string
}

type Field = 'name' | 'description' | 'roles' | 'expires'
const paths: Record<string, Field> = {
  'input.name': 'name',
  'input.description': 'description',
  'input.roleIds': 'roles',
  'input.expiresAt': 'expires',
}

export function CreateCredentialDialog({ onClose, onMade }: { onClose: () => void; onMade: (made: MadeCredential) => void }) {
  const { roles: own } = useViewer()
  // The secret is for the eyes of one person, once: it stays out of the cache.
  const [create] = useMutation(createCredentialMutation, { fetchPolicy: 'no-cache' })
  const [name, setName] = useState('')
  const [description, setDescription] = useState('')
  const [roles, setRoles] = useState<readonly string[]>(own.map((role) => role.id))
  const [expires, setExpires] = useState('')
  // Each try after a change is a request of its own; the same one again makes nothing twice.
  const [attempt, setAttempt] = useState<{ asked: string; key: string } | null>(null)

  const check = (): Partial<Record<Field, string>> => ({
    ...(name.trim() === '' ? { name: text.identity.nameMissing } : {}),
    ...(roles.length === 0 ? { roles: words.roleMissing } : {}),
    ...(expires === '' ? {} : Number.isNaN(Date.parse(expires)) ? { expires: words.notATime } : {}),
    ...(expires !== '' && Date.parse(expires) <= Date.now() ? { expires: words.past } : {}),
  })
  return (
    <FormDialog<Field>
      title={words.create}
      submitLabel={words.create}
      cancelLabel={text.identity.cancel}
      check={check}
      fieldFor={(path) => paths[path] ?? null}
      onSubmit={async () => {
        const asked = {
          name: name.trim(),
          description: description === '' ? null : description,
          roleIds: [...roles],
          expiresAt: expires === '' ? null : new Date(expires).toISOString(),
        }
        const isSame = attempt?.asked === JSON.stringify(asked)
        const idempotencyKey = isSame ? attempt.key : randomKey()
        setAttempt({ asked: JSON.stringify(asked), key: idempotencyKey })
        const { data } = await create({ variables: { input: { ...asked, idempotencyKey } } })
        if (data === undefined || data === null) return
        const { applicationCredential, secret } = data.createApplicationCredential
        onMade({ id: applicationCredential.id, name: applicationCredential.name, secret })
      }}
      onClose={onClose}
    >
      {(errors) => (
        <>
          <TextField
            id="credential-name"
            label={columns.name}
            value={name}
            onChange={setName}
            isRequired
            autoComplete="off"
            error={errors.name}
          />
          <TextField
            id="credential-description"
            label={columns.description}
            value={description}
            onChange={setDescription}
            error={errors.description}
          />
          <FormGroup role="group" label={words.roles} fieldId="credential-roles" isRequired>
            {own.map((role, index) => (
              <Checkbox
                key={role.id}
                id={`credential-role-${role.id}`}
                label={role.id}
                isChecked={roles.includes(role.id)}
                isValid={errors.roles === undefined}
                data-invalid={errors.roles !== undefined && index === 0}
                aria-describedby="credential-roles-message"
                onChange={(_event, checked) =>
                  setRoles(own.map(({ id }) => id).filter((id) => (id === role.id ? checked : roles.includes(id))))
                }
              />
            ))}
            <FieldMessage id="credential-roles" error={errors.roles} help={words.rolesHelp} />
          </FormGroup>
          <FormGroup label={words.expires} fieldId="credential-expires">
            <TextInput
              id="credential-expires"
              type="datetime-local"
              value={expires}
              onChange={(_event, value) => setExpires(value)}
              validated={errors.expires === undefined ? 'default' : 'error'}
              aria-describedby="credential-expires-message"
            />
            <FieldMessage id="credential-expires" error={errors.expires} help={words.expiresHelp} />
          </FormGroup>
        </>
      )}
    </FormDialog>
  )
}
