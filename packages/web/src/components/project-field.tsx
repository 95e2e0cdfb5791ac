/** Names a project: by its name where the viewer sees it, by its id always. */
import { useApolloClient, useQuery } from '@apollo/client/react'
import { FormGroup, TextInput } from '@patternfly/react-core'
import { useDebounced } from '../lib/use-debounced.js'
import { text } from '../text/text.js'
import { FieldMessage } from './fields.js'
import { projectChoicesQuery } from './project-field.documents.js'

const words = text.properties.projectField
const offered = 20
/** A name is part of others: the one itself may stand behind many of them. */
const lookedThrough = 200

export interface NamedProject {
  id: string
  name: string
}

/** The project that was typed; what is no name the viewer sees counts as an id, which the cloud checks. */
export function useNamedProject(): (typed: string) => Promise<NamedProject> {
  const apollo = useApolloClient()
  return async (typed) => {
    const wanted = typed.trim()
    const { data } = await apollo.query({
      query: projectChoicesQuery,
      variables: { first: lookedThrough, name: wanted },
      fetchPolicy: 'network-only',
    })
    const found = data?.projects.nodes.filter(({ name }) => name === wanted) ?? []
    return found.length === 1 && found[0] !== undefined ? found[0] : { id: wanted, name: wanted }
  }
}

interface ProjectFieldProps {
  id: string
  value: string
  onChange: (value: string) => void
  error?: string | undefined
}

export function ProjectField({ id, value, onChange, error }: ProjectFieldProps) {
  const name = useDebounced(value.trim())
  const { data, previousData } = useQuery(projectChoicesQuery, { variables: { first: offered, name } })
  return (
    <FormGroup label={words.label} fieldId={id} isRequired>
      <TextInput
        id={id}
        list={`${id}-projects`}
        autoComplete="off"
        spellCheck={false}
        isRequired
        value={value}
        validated={error === undefined ? 'default' : 'error'}
        aria-describedby={`${id}-message`}
        onChange={(_event, typed) => onChange(typed)}
      />
      <datalist id={`${id}-projects`}>
        {(data ?? previousData)?.projects.nodes.map((project) => (
          <option key={project.id} value={project.name}>
            {project.id}
          </option>
        ))}
      </datalist>
      <FieldMessage id={id} error={error} help={words.hint} />
    </FormGroup>
  )
}
