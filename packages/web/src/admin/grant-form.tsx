/** Gives a role. The user or project is typed by its name; what is typed is looked up, for suggestions and when it is sent. */
import { useApolloClient, useMutation, useQuery } from '@apollo/client/react'
import { Alert, Button, Flex, FlexItem, Form, FormGroup, TextInput } from '@patternfly/react-core'
import { type FormEvent, useId, useRef, useState } from 'react'
import { FieldMessage, SelectField } from '../components/fields.js'
import { showErrors } from '../components/show-errors.js'
import type { GrantsQuery } from '../generated/graphql.js'
import { randomKey } from '../lib/keys.js'
import { type FormErrors, formErrors } from '../lib/problem.js'
import { showToast } from '../lib/toasts.js'
import { useDebounced } from '../lib/use-debounced.js'
import { text } from '../text/text.js'
import type { GrantSubject } from './grants.js'
import { assignRoleMutation, namedProjectsQuery, namedUsersQuery } from './identity.documents.js'

const words = text.identity.grants
const suggestions = 20
type Field = 'name' | 'role'
const noErrors: FormErrors<Field> = { fields: {}, general: null }

interface GrantFormProps {
  of: GrantSubject
  other: 'user' | 'project'
  roles: GrantsQuery['roles']
  onAdded: (userId: string) => Promise<void>
}

export function GrantForm({ of, other, roles, onAdded }: GrantFormProps) {
  const id = useId()
  const form = useRef<HTMLFormElement>(null)
  const client = useApolloClient()
  const [assign] = useMutation(assignRoleMutation)
  const [name, setName] = useState('')
  const [roleId, setRoleId] = useState('member')
  const [errors, setErrors] = useState(noErrors)
  const [busy, setBusy] = useState(false)
  const wanted = useDebounced(name.trim())
  const users = useQuery(namedUsersQuery, { variables: { name: wanted, first: suggestions }, skip: other !== 'user' })
  const projects = useQuery(namedProjectsQuery, { variables: { name: wanted, first: suggestions }, skip: other !== 'project' })
  const found = (other === 'user' ? users.data?.users : projects.data?.projects)?.nodes ?? []

  /** Names hold each other: all that contain it are asked for, the one that is it counts. */
  const find = async (typed: string): Promise<{ id: string; name: string } | undefined> => {
    const variables = { name: typed, first: 1000 }
    const { data } =
      other === 'user'
        ? await client.query({ query: namedUsersQuery, variables, fetchPolicy: 'network-only' })
        : await client.query({ query: namedProjectsQuery, variables, fetchPolicy: 'network-only' })
    const nodes = data === undefined ? [] : 'users' in data ? data.users.nodes : data.projects.nodes
    return nodes.find((node) => node.name === typed) ?? nodes.find((node) => node.name.toLowerCase() === typed.toLowerCase())
  }
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    const typed = name.trim()
    const refuse = (message: string): void =>
      showErrors(form.current, () => {
        setErrors({ fields: { name: message }, general: null })
        setBusy(false)
      })
    if (typed === '') return refuse(words.missing[other])
    setErrors(noErrors)
    setBusy(true)
    try {
      const target = await find(typed)
      if (target === undefined) return refuse(words.unknown[other](typed))
      const [user, project] = other === 'user' ? [target, of] : [of, target]
      await assign({ variables: { input: { userId: user.id, projectId: project.id, roleId, idempotencyKey: randomKey() } } })
      showToast('success', words.added(roles.find((role) => role.id === roleId)?.name ?? roleId, user.name, project.name))
      setName('')
      await onAdded(user.id)
      setBusy(false)
    } catch (error) {
      const fieldFor = (path: string): Field | null => (path === `input.${other}Id` ? 'name' : path === 'input.roleId' ? 'role' : null)
      showErrors(form.current, () => {
        setErrors(formErrors(error, fieldFor))
        setBusy(false)
      })
    }
  }
  const fault = errors.fields.name
  return (
    <Form ref={form} onSubmit={(event) => void submit(event)} noValidate className="kn-gap-above kn-gap-below" aria-label={words.add}>
      {errors.general !== null && <Alert component="p" isInline isLiveRegion variant="danger" title={errors.general} />}
      <Flex alignItems={{ default: 'alignItemsFlexStart' }} gap={{ default: 'gapMd' }}>
        <FlexItem>
          <FormGroup label={words[other]} fieldId={`${id}-name`} isRequired>
            <TextInput
              id={`${id}-name`}
              value={name}
              list={`${id}-found`}
              autoComplete="off"
              isRequired
              validated={fault === undefined ? 'default' : 'error'}
              aria-describedby={fault === undefined ? undefined : `${id}-name-message`}
              onChange={(_event, value) => setName(value)}
            />
            <datalist id={`${id}-found`}>
              {found.map((one) => (
                <option key={one.id} value={one.name} />
              ))}
            </datalist>
            <FieldMessage id={`${id}-name`} error={fault} />
          </FormGroup>
        </FlexItem>
        <FlexItem>
          <SelectField
            id={`${id}-role`}
            label={words.role}
            value={roleId}
            onChange={setRoleId}
            error={errors.fields.role}
            help={roles.find((role) => role.id === roleId)?.description ?? undefined}
            options={roles.map((role) => ({ value: role.id, label: role.name }))}
          />
        </FlexItem>
        <FlexItem alignSelf={{ default: 'alignSelfFlexStart' }} className="kn-beside-field">
          <Button type="submit" variant="secondary" isDisabled={busy} isLoading={busy}>
            {words.add}
          </Button>
        </FlexItem>
      </Flex>
    </Form>
  )
}
