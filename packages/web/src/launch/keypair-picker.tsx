/** Which public keys go into the server; a new one can be imported on the spot. */
import { useQuery } from '@apollo/client/react'
import { Button, Checkbox } from '@patternfly/react-core'
import { useState } from 'react'
import { FieldMessage } from '../components/fields.js'
import { ErrorNotice } from '../components/states.js'
import { ImportKeypairDialog } from '../keypairs/import-keypair-dialog.js'
import { keypairsQuery } from '../keypairs/keypair.documents.js'
import { useLiveRefetch } from '../lib/use-live.js'
import { text } from '../text/text.js'

const words = text.launch.keys

interface KeypairPickerProps {
  keyNames: readonly string[]
  onChange: (keyNames: string[]) => void
  error: string | undefined
}

export function KeypairPicker({ keyNames, onChange, error: fieldError }: KeypairPickerProps) {
  const [importing, setImporting] = useState(false)
  const { data, error, refetch } = useQuery(keypairsQuery, { variables: { first: 200 } })
  useLiveRefetch(
    () => refetch(),
    (signal) => signal.topic === 'object' && signal.subject === 'KEYPAIR',
  )
  const known = data?.keypairs.nodes.map((keypair) => keypair.name) ?? []
  // A chosen key that was deleted since stays visible, so that it can be unchosen.
  const names = [...known, ...keyNames.filter((name) => data !== undefined && !known.includes(name))]
  return (
    <fieldset className="kn-fieldset" aria-describedby={fieldError === undefined ? undefined : 'launch-keys-message'}>
      <legend>{text.launch.fields.keys}</legend>
      {error !== undefined && data === undefined && <ErrorNotice what={words.the} error={error} retry={() => void refetch()} />}
      {names.map((name, index) => (
        <Checkbox
          key={name}
          id={`key-${index}`}
          label={name}
          description={known.includes(name) ? undefined : words.gone}
          isChecked={keyNames.includes(name)}
          data-invalid={fieldError !== undefined && keyNames.includes(name)}
          onChange={(_event, checked) => onChange(checked ? [...keyNames, name] : keyNames.filter((one) => one !== name))}
        />
      ))}
      {data !== undefined && names.length === 0 && <p className="kn-muted">{words.none}</p>}
      <FieldMessage id="launch-keys" error={fieldError} />
      <Button variant="link" isInline onClick={() => setImporting(true)}>
        {words.import}
      </Button>
      {importing && (
        <ImportKeypairDialog
          onClose={() => setImporting(false)}
          onImported={(name) => {
            onChange([...keyNames, name])
            void refetch()
          }}
        />
      )}
    </fieldset>
  )
}
