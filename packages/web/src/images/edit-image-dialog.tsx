/** Changes what an image says of itself; its data is for ever. Only what was changed is sent. */
import { useApolloClient, useMutation } from '@apollo/client/react'
import { Checkbox, Grid, GridItem } from '@patternfly/react-core'
import { useRef, useState } from 'react'
import { SelectField, TextField } from '../components/fields.js'
import { FormDialog } from '../components/form-dialog.js'
import type { ImageQuery, ImageVisibility, UpdateImageInput } from '../generated/graphql.js'
import { randomKey } from '../lib/keys.js'
import { ProblemError, problemOf } from '../lib/problem.js'
import { useMay } from '../lib/session-context.js'
import { showToast } from '../lib/toasts.js'
import { text } from '../text/text.js'
import { imageQuery, updateImageMutation } from './image.documents.js'

const words = text.images.edit
export type ImageDetails = NonNullable<ImageQuery['image']>

const visibilities: readonly ImageVisibility[] = ['PRIVATE', 'SHARED', 'COMMUNITY', 'PUBLIC']
const fieldNames = ['name', 'visibility', 'minRamMb', 'minDiskGb', 'tags'] as const
type FieldName = (typeof fieldNames)[number]

const tagsOf = (typed: string): string[] => [
  ...new Set(
    typed
      .split(',')
      .map((tag) => tag.trim())
      .filter((tag) => tag !== ''),
  ),
]

/** Sends a change of the image as it was when its dialog opened; what somebody else changed since is said once, then overruled. */
export function useImageUpdate(image: ImageDetails) {
  const apollo = useApolloClient()
  const [update] = useMutation(updateImageMutation)
  const generation = useRef(image.generation)
  return async (change: Omit<UpdateImageInput, 'imageId' | 'expectedGeneration' | 'idempotencyKey'>): Promise<void> => {
    try {
      await update({
        variables: { input: { ...change, imageId: image.id, expectedGeneration: generation.current, idempotencyKey: randomKey() } },
      })
    } catch (error) {
      const { code } = problemOf(error)
      if (code !== 'GENERATION_MISMATCH') throw error
      const { data } = await apollo.query({ query: imageQuery, variables: { id: image.id }, fetchPolicy: 'network-only' })
      generation.current = data?.image?.generation ?? generation.current
      throw new ProblemError(text.images.properties.changed, { code })
    }
  }
}

export function EditImageDialog({ image: given, onClose }: { image: ImageDetails; onClose: () => void }) {
  // What the form is compared with is what it opened on, whatever arrives meanwhile.
  const [image] = useState(given)
  const mayPublish = useMay('image:publicize_image')
  const mayOffer = useMay('image:communitize_image')
  const [name, setName] = useState(image.name ?? '')
  const [visibility, setVisibility] = useState(image.visibility)
  const [minRamMb, setMinRamMb] = useState(String(image.minRamMb))
  const [minDiskGb, setMinDiskGb] = useState(String(image.minDiskGb))
  const [tags, setTags] = useState(image.tags.join(', '))
  const [isProtected, setIsProtected] = useState(image.protected)
  const [isHidden, setIsHidden] = useState(image.hidden)
  const update = useImageUpdate(image)

  const isOffered = (one: ImageVisibility): boolean =>
    one === image.visibility || (one === 'PUBLIC' ? mayPublish : one === 'COMMUNITY' ? mayOffer : true)
  const check = (): Partial<Record<FieldName, string>> => ({
    ...(name.trim() === '' && image.name !== null ? { name: words.nameMissing } : {}),
    ...(/^\d{1,10}$/.test(minRamMb) ? {} : { minRamMb: words.natural }),
    ...(/^\d{1,10}$/.test(minDiskGb) ? {} : { minDiskGb: words.natural }),
  })
  const submit = async (): Promise<void> => {
    const wantedTags = tagsOf(tags)
    const change = {
      ...(name.trim() === (image.name ?? '') ? {} : { name: name.trim() }),
      ...(visibility === image.visibility ? {} : { visibility }),
      ...(Number(minRamMb) === image.minRamMb ? {} : { minRamMb: Number(minRamMb) }),
      ...(Number(minDiskGb) === image.minDiskGb ? {} : { minDiskGb: Number(minDiskGb) }),
      ...(isProtected === image.protected ? {} : { protected: isProtected }),
      ...(isHidden === image.hidden ? {} : { hidden: isHidden }),
      // A tag that holds a comma cannot be typed here; unless the field was touched, it stays.
      ...(tags === image.tags.join(', ') ? {} : { tags: wantedTags }),
    }
    if (Object.keys(change).length === 0) return
    await update(change)
    showToast('success', words.saved(name.trim() === '' ? image.id : name.trim()))
  }
  const { visibility: kinds } = text.images
  return (
    <FormDialog<FieldName>
      title={words.title(image.name ?? image.id)}
      submitLabel={text.images.save}
      cancelLabel={text.images.cancel}
      check={check}
      fieldFor={(path) => fieldNames.find((field) => path === `input.${field}` || path.startsWith(`input.${field}.`)) ?? null}
      onSubmit={submit}
      onClose={onClose}
    >
      {(errors) => (
        <>
          <TextField id="image-name" label={words.name} value={name} onChange={setName} error={errors.name} isRequired />
          <SelectField
            id="image-visibility"
            label={words.visibility}
            value={visibility}
            onChange={(value) => setVisibility(visibilities.find((one) => one === value) ?? image.visibility)}
            options={visibilities.filter(isOffered).map((one) => ({ value: one, label: words.option(kinds[one].label, kinds[one].hint) }))}
            error={errors.visibility}
          />
          <Grid hasGutter sm={6}>
            <GridItem>
              <TextField
                id="image-min-ram"
                label={words.leastMemory}
                type="number"
                min={0}
                value={minRamMb}
                onChange={setMinRamMb}
                error={errors.minRamMb}
              />
            </GridItem>
            <GridItem>
              <TextField
                id="image-min-disk"
                label={words.leastDisk}
                type="number"
                min={0}
                value={minDiskGb}
                onChange={setMinDiskGb}
                error={errors.minDiskGb}
              />
            </GridItem>
          </Grid>
          <TextField id="image-tags" label={words.tags} value={tags} onChange={setTags} error={errors.tags} help={words.tagsHint} />
          <Checkbox
            id="image-protected"
            label={words.protected}
            description={words.protectedHint}
            isChecked={isProtected}
            onChange={(_event, checked) => setIsProtected(checked)}
          />
          <Checkbox
            id="image-hidden"
            label={words.hidden}
            description={words.hiddenHint}
            isChecked={isHidden}
            onChange={(_event, checked) => setIsHidden(checked)}
          />
        </>
      )}
    </FormDialog>
  )
}
