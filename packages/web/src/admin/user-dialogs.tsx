/** Makes and changes users, and gives them a new password. */
import { useMutation, useQuery } from '@apollo/client/react'
import { useState } from 'react'
import { SelectField, TextField } from '../components/fields.js'
import { FormDialog } from '../components/form-dialog.js'
import type { UserFieldsFragment } from '../generated/graphql.js'
import { randomKey } from '../lib/keys.js'
import { showToast } from '../lib/toasts.js'
import { text } from '../text/text.js'
import { createUserMutation, projectsQuery, updateUserMutation } from './identity.documents.js'

const words = text.identity.users
const { columns } = text.identity
const leastPasswordLength = 8

type Field = 'name' | 'email' | 'description' | 'defaultProjectId' | 'password' | 'repeat'
const fields: readonly Field[] = ['name', 'email', 'description', 'defaultProjectId', 'password']
const fieldFor = (path: string): Field | null => fields.find((field) => path === `input.${field}`) ?? null

function passwordFaults(password: string, repeat: string): Partial<Record<Field, string>> {
  if (password.length < leastPasswordLength) return { password: words.passwordShort }
  return password === repeat ? {} : { repeat: words.notTheSame }
}

interface PasswordFieldsProps {
  password: string
  repeat: string
  onPassword: (value: string) => void
  onRepeat: (value: string) => void
  errors: Partial<Record<Field, string>>
  isRequired: boolean
}

function PasswordFields({ password, repeat, onPassword, onRepeat, errors, isRequired }: PasswordFieldsProps) {
  return (
    <>
      <TextField
        id="user-password"
        label={words.password}
        type="password"
        autoComplete="new-password"
        value={password}
        onChange={onPassword}
        isRequired={isRequired}
        error={errors.password}
        help={isRequired ? words.passwordHelp : words.passwordOptional}
      />
      <TextField
        id="user-repeat"
        label={words.repeat}
        type="password"
        autoComplete="new-password"
        value={repeat}
        onChange={onRepeat}
        isRequired={isRequired}
        error={errors.repeat}
      />
    </>
  )
}

export function CreateUserDialog({ onClose, onCreated }: { onClose: () => void; onCreated: (user: UserFieldsFragment) => void }) {
  const [create] = useMutation(createUserMutation)
  const [name, setName] = useState('')
  const [email, setEmail] = useState('')
  const [description, setDescription] = useState('')
  const [password, setPassword] = useState('')
  const [repeat, setRepeat] = useState('')
  const [idempotencyKey] = useState(randomKey)
  return (
    <FormDialog<Field>
      title={words.create}
      submitLabel={words.create}
      cancelLabel={text.identity.cancel}
      check={() => ({
        ...(name.trim() === '' ? { name: text.identity.nameMissing } : {}),
        ...(password === '' && repeat === '' ? {} : passwordFaults(password, repeat)),
      })}
      fieldFor={fieldFor}
      onSubmit={async () => {
        const input = {
          name: name.trim(),
          email: email.trim() === '' ? null : email.trim(),
          description: description === '' ? null : description,
          password: password === '' ? null : password,
          idempotencyKey,
        }
        const { data } = await create({ variables: { input } })
        showToast('success', words.created(input.name))
        if (data?.createUser.user !== undefined) onCreated(data.createUser.user)
      }}
      onClose={onClose}
    >
      {(errors) => (
        <>
          <TextField
            id="user-name"
            label={words.userName}
            value={name}
            onChange={setName}
            isRequired
            autoComplete="off"
            error={errors.name}
            help={words.createHint}
          />
          <TextField id="user-email" label={columns.email} value={email} onChange={setEmail} error={errors.email} />
          <TextField
            id="user-description"
            label={columns.description}
            value={description}
            onChange={setDescription}
            error={errors.description}
          />
          <PasswordFields
            password={password}
            repeat={repeat}
            onPassword={setPassword}
            onRepeat={setRepeat}
            errors={errors}
            isRequired={false}
          />
        </>
      )}
    </FormDialog>
  )
}

interface ChangeUserProps {
  user: UserFieldsFragment
  onClose: () => void
  onChanged: () => Promise<unknown>
}

export function EditUserDialog({ user, onClose, onChanged }: ChangeUserProps) {
  const [update] = useMutation(updateUserMutation)
  const [name, setName] = useState(user.name)
  const [email, setEmail] = useState(user.email ?? '')
  const [description, setDescription] = useState(user.description ?? '')
  const [defaultProjectId, setDefaultProjectId] = useState(user.defaultProject?.id ?? '')
  // What is shown may be fetched again while somebody types; whoever has changed it meanwhile is not overwritten unseen.
  const [generation] = useState(user.generation)
  const { data } = useQuery(projectsQuery, { variables: { first: 1000, filter: { userId: user.id } } })
  const projects = data?.projects.nodes ?? []
  const unlisted = user.defaultProject !== null && !projects.some(({ id }) => id === user.defaultProject?.id) ? [user.defaultProject] : []
  return (
    <FormDialog<Field>
      title={words.edit(user.name)}
      submitLabel={text.identity.save}
      cancelLabel={text.identity.cancel}
      check={(): Partial<Record<Field, string>> => (name.trim() === '' ? { name: text.identity.nameMissing } : {})}
      fieldFor={fieldFor}
      onSubmit={async () => {
        const input = {
          userId: user.id,
          name: name.trim(),
          email: email.trim() === '' ? null : email.trim(),
          description: description === '' ? null : description,
          defaultProjectId: defaultProjectId === '' ? null : defaultProjectId,
          expectedGeneration: generation,
          idempotencyKey: randomKey(),
        }
        await update({ variables: { input } })
        showToast('success', words.saved(input.name))
        await onChanged()
      }}
      onClose={onClose}
    >
      {(errors) => (
        <>
          <TextField
            id="user-name"
            label={words.userName}
            value={name}
            onChange={setName}
            isRequired
            autoComplete="off"
            error={errors.name}
          />
          <TextField id="user-email" label={columns.email} value={email} onChange={setEmail} error={errors.email} />
          <TextField
            id="user-description"
            label={columns.description}
            value={description}
            onChange={setDescription}
            error={errors.description}
          />
          <SelectField
            id="user-default-project"
            label={columns.defaultProject}
            value={defaultProjectId}
            onChange={setDefaultProjectId}
            error={errors.defaultProjectId}
            options={[
              { value: '', label: words.noDefaultProject },
              ...[...unlisted, ...projects].map((project) => ({ value: project.id, label: project.name })),
            ]}
          />
        </>
      )}
    </FormDialog>
  )
}

export function ResetPasswordDialog({ user, onClose, onChanged }: ChangeUserProps) {
  const [update] = useMutation(updateUserMutation)
  const [password, setPassword] = useState('')
  const [repeat, setRepeat] = useState('')
  return (
    <FormDialog<Field>
      title={words.resetTitle(user.name)}
      submitLabel={words.resetPassword}
      cancelLabel={text.identity.cancel}
      check={() => passwordFaults(password, repeat)}
      fieldFor={fieldFor}
      onSubmit={async () => {
        await update({ variables: { input: { userId: user.id, password, idempotencyKey: randomKey() } } })
        showToast('success', words.resetDone(user.name))
        await onChanged()
      }}
      onClose={onClose}
    >
      {(errors) => (
        <>
          <p>{words.resetHint}</p>
          <PasswordFields password={password} repeat={repeat} onPassword={setPassword} onRepeat={setRepeat} errors={errors} isRequired />
        </>
      )}
    </FormDialog>
  )
}
