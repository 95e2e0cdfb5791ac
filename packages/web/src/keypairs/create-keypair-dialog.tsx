/** Has the cloud make a key pair. */
import { useMutation } from '@apollo/client/react'
import { useState } from 'react'
import { SelectField, TextField } from '../components/fields.js'
import { FormDialog } from '../components/form-dialog.js'
import type { KeypairType } from '../generated/graphql.js'
import { randomKey } from '../lib/keys.js'
import { text } from '../text/text.js'
import { createKeypairMutation } from './keypair.documents.js'
import { nameRule } from './name-rule.js'
import type { NewKeypair } from './private-key-dialog.js'

const words = text.keypairs.generate

export function CreateKeypairDialog({ onClose, onCreated }: { onClose: () => void; onCreated: (keypair: NewKeypair) => void }) {
  const [name, setName] = useState('')
  const [type, setType] = useState<KeypairType>('SSH')
  // The private key goes to the one who asked and into no cache.
  const [create] = useMutation(createKeypairMutation, { fetchPolicy: 'no-cache' })
  return (
    <FormDialog<'name' | 'type'>
      title={words.title}
      submitLabel={words.submit}
      cancelLabel={text.keypairs.cancel}
      check={(): { name?: string } => (nameRule.test(name) ? {} : { name: text.keypairs.nameRule })}
      fieldFor={(path) => (path === 'input.name' ? 'name' : path === 'input.type' ? 'type' : null)}
      onSubmit={async () => {
        const { data } = await create({ variables: { input: { name, type, idempotencyKey: randomKey() } } })
        if (data != null) onCreated({ name, type, privateKey: data.createKeypair.privateKey })
      }}
      onClose={onClose}
    >
      {(errors) => (
        <>
          <p>{words.hint}</p>
          <TextField id="keypair-name" label={text.keypairs.name} value={name} onChange={setName} error={errors.name} isRequired />
          <SelectField
            id="keypair-type"
            label={text.keypairs.kind}
            value={type}
            onChange={(value) => setType(value === 'X509' ? 'X509' : 'SSH')}
            options={[
              { value: 'SSH', label: words.kinds.SSH },
              { value: 'X509', label: words.kinds.X509 },
            ]}
            error={errors.type}
          />
        </>
      )}
    </FormDialog>
  )
}
