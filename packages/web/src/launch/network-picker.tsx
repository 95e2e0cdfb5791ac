/** How the server is connected. */
import { useQuery } from '@apollo/client/react'
import { Checkbox, Radio } from '@patternfly/react-core'
import { FieldMessage } from '../components/fields.js'
import { ErrorNotice } from '../components/states.js'
import { text } from '../text/text.js'
import type { Draft } from './draft.js'
import { networksQuery } from './launch.documents.js'

const words = text.launch.networks

const modes: readonly Draft['networkMode'][] = ['AUTO', 'LIST', 'NONE']

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
      <legend>{text.launch.fields.network}</legend>
      {modes.map((value) => (
        <Radio
          key={value}
          id={`network-${value}`}
          name="network-mode"
          label={words.modes[value].label}
          description={words.modes[value].help}
          isChecked={mode === value}
          data-invalid={fieldError !== undefined && mode === value}
          onChange={() => onChange({ networkMode: value })}
          body={
            value === 'LIST' && mode === 'LIST' ? (
              error !== undefined && networks === undefined ? (
                <ErrorNotice what={words.the} error={error} retry={() => void refetch()} />
              ) : networks?.length === 0 ? (
                words.none
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
