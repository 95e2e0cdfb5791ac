/** How the server is connected. */
import { useQuery } from '@apollo/client/react'
import { Checkbox, Radio } from '@patternfly/react-core'
import { FieldMessage } from '../components/fields.js'
import { ErrorNotice } from '../components/states.js'
import type { Draft } from './draft.js'
import { networksQuery } from './launch.documents.js'

const modes: [Draft['networkMode'], string, string][] = [
  ['AUTO', 'Automatic', 'The network of the project.'],
  ['LIST', 'Choose networks', 'One interface on each chosen network, in this order.'],
  ['NONE', 'No network', 'The server is reached by its consoles only.'],
]

interface NetworkPickerProps {
  mode: Draft['networkMode']
  networkIds: readonly string[]
  onChange: (part: Partial<Draft>) => void
  error: string | undefined
}

export function NetworkPicker({ mode, networkIds, onChange, error: fieldError }: NetworkPickerProps) {
  const { data, error, refetch } = useQuery(networksQuery, { variables: { first: 200 } })
  const networks = data?.networks.nodes
  return (
    <fieldset className="kn-fieldset" aria-describedby={fieldError === undefined ? undefined : 'launch-networks-message'}>
      <legend>Network</legend>
      {modes.map(([value, label, description]) => (
        <Radio
          key={value}
          id={`network-${value}`}
          name="network-mode"
          label={label}
          description={description}
          isChecked={mode === value}
          data-invalid={fieldError !== undefined && mode === value}
          onChange={() => onChange({ networkMode: value })}
          body={
            value === 'LIST' && mode === 'LIST' ? (
              error !== undefined && networks === undefined ? (
                <ErrorNotice what="The networks" error={error} retry={() => void refetch()} />
              ) : networks?.length === 0 ? (
                'There is no network the project can use.'
              ) : (
                networks?.map((network) => (
                  <Checkbox
                    key={network.id}
                    id={`network-${network.id}`}
                    label={network.name}
                    description={network.subnets.map((subnet) => subnet.cidr).join(', ')}
                    isChecked={networkIds.includes(network.id)}
                    onChange={(_event, checked) =>
                      onChange({ networkIds: checked ? [...networkIds, network.id] : networkIds.filter((id) => id !== network.id) })
                    }
                  />
                ))
              )
            ) : undefined
          }
        />
      ))}
      <FieldMessage id="launch-networks" error={fieldError} />
    </fieldset>
  )
}
