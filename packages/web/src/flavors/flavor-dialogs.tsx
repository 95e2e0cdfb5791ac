/** Changing a flavor: its extra specs and its description; all else of it is for ever. */
import { useApolloClient, useMutation, useQuery } from '@apollo/client/react'
import { useRef, useState } from 'react'
import { TextAreaField } from '../components/fields.js'
import { FormDialog } from '../components/form-dialog.js'
import type { FlavorFieldsFragment } from '../generated/graphql.js'
import { randomKey } from '../lib/keys.js'
import { ProblemError, problemOf } from '../lib/problem.js'
import { showToast } from '../lib/toasts.js'
import { EditPropertiesDialog, type PropertyChange } from '../properties/edit-properties-dialog.js'
import { extraSpecSchemaQuery } from '../properties/property.documents.js'
import { text } from '../text/text.js'
import { CreateFlavorDialog } from './create-flavor-dialog.js'
import { deleteExtraSpecsMutation, flavorQuery, setExtraSpecsMutation, updateFlavorMutation } from './flavor.documents.js'

const words = text.flavors.edit

interface FlavorDialogProps {
  flavor: FlavorFieldsFragment
  onClose: () => void
}

/** Runs a change on the flavor as it was when its dialog opened; what somebody else changed since is said once, then overruled. */
function useChangeOf(flavor: FlavorFieldsFragment) {
  const apollo = useApolloClient()
  const generation = useRef(flavor.generation)
  return async (change: (expectedGeneration: number) => Promise<number | undefined>): Promise<void> => {
    try {
      generation.current = (await change(generation.current)) ?? generation.current
    } catch (error) {
      const { code } = problemOf(error)
      if (code !== 'GENERATION_MISMATCH') throw error
      const { data } = await apollo.query({ query: flavorQuery, variables: { id: flavor.id }, fetchPolicy: 'network-only' })
      generation.current = data?.flavor?.generation ?? generation.current
      throw new ProblemError(words.changed, { code })
    }
  }
}

export function ExtraSpecsDialog({ flavor, onClose }: FlavorDialogProps) {
  const [write] = useMutation(setExtraSpecsMutation)
  const [remove] = useMutation(deleteExtraSpecsMutation)
  const change = useChangeOf(flavor)
  const { data, error } = useQuery(extraSpecSchemaQuery)
  const save = async ({ changed, removed }: PropertyChange): Promise<void> => {
    const { id: flavorId } = flavor
    // Writing first: what the cloud refuses is found before anything is taken away.
    if (changed.length > 0) {
      await change(async (expectedGeneration) => {
        const answer = await write({
          variables: { input: { flavorId, extraSpecs: changed, expectedGeneration, idempotencyKey: randomKey() } },
        })
        return answer.data?.setFlavorExtraSpecs.flavor.generation
      })
    }
    if (removed.length > 0) {
      await change(async (expectedGeneration) => {
        const answer = await remove({ variables: { input: { flavorId, keys: removed, expectedGeneration, idempotencyKey: randomKey() } } })
        return answer.data?.deleteFlavorExtraSpecs.flavor.generation
      })
    }
  }
  if (data === undefined && error === undefined) return null
  return (
    <EditPropertiesDialog
      title={text.flavors.specsOf(flavor.name)}
      hint={words.specsHint}
      noun={words.noun}
      saveLabel={text.flavors.save}
      cancelLabel={text.flavors.cancel}
      before={flavor.extraSpecs ?? []}
      definitions={data?.extraSpecSchema ?? []}
      field="extraSpecs"
      save={save}
      onClose={onClose}
    />
  )
}

export function FlavorDescriptionDialog({ flavor, onClose }: FlavorDialogProps) {
  const [description, setDescription] = useState(flavor.description ?? '')
  const [update] = useMutation(updateFlavorMutation)
  const change = useChangeOf(flavor)
  return (
    <FormDialog<'description'>
      title={words.descriptionOf(flavor.name)}
      submitLabel={text.flavors.save}
      cancelLabel={text.flavors.cancel}
      fieldFor={(path) => (path === 'input.description' ? 'description' : null)}
      onSubmit={async () => {
        await change(async (expectedGeneration) => {
          const { data } = await update({
            variables: {
              input: {
                flavorId: flavor.id,
                description: description.trim() === '' ? null : description,
                expectedGeneration,
                idempotencyKey: randomKey(),
              },
            },
          })
          return data?.updateFlavor.flavor.generation
        })
        showToast('success', words.described(flavor.name))
      }}
      onClose={onClose}
    >
      {(errors) => (
        <TextAreaField
          id="flavor-description"
          label={text.flavors.details.description}
          value={description}
          onChange={setDescription}
          error={errors.description}
        />
      )}
    </FormDialog>
  )
}

interface CloneFlavorDialogProps extends FlavorDialogProps {
  onCreated: (flavor: { id: string; name: string }) => void
}

/** A row of a list does not hold the access list: it is read when the copy begins. */
export function CloneFlavorDialog({ flavor, onClose, onCreated }: CloneFlavorDialogProps) {
  const { data } = useQuery(flavorQuery, {
    variables: { id: flavor.id },
    fetchPolicy: 'network-only',
    nextFetchPolicy: 'cache-only',
  })
  if (data?.flavor == null) return null
  return <CreateFlavorDialog from={data.flavor} onClose={onClose} onCreated={onCreated} />
}
