/** A new image from a file, or the data of an image that has none yet. */
import { useMutation } from '@apollo/client/react'
import {
  Alert,
  Button,
  Checkbox,
  Form,
  FormGroup,
  Grid,
  GridItem,
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
  Progress,
} from '@patternfly/react-core'
import { type FormEvent, useEffect, useId, useRef, useState } from 'react'
import { FieldMessage, SelectField, TextField } from '../components/fields.js'
import { showErrors } from '../components/show-errors.js'
import type { DiskFormat, ImageFieldsFragment } from '../generated/graphql.js'
import { formatBytes } from '../lib/format.js'
import { randomKey } from '../lib/keys.js'
import { type FormErrors, formErrors } from '../lib/problem.js'
import { useMay } from '../lib/session-context.js'
import { text } from '../text/text.js'
import { createImageMutation, deleteImageMutation } from './image.documents.js'
import { useImageUpload } from './use-image-upload.js'

const words = text.images.upload
const { edit, details } = text.images
type FieldName = 'name' | 'diskFormat' | 'minRamMb' | 'minDiskGb' | 'checksum' | 'file'
const fieldNames: readonly string[] = ['name', 'diskFormat', 'minRamMb', 'minDiskGb', 'checksum']
const fieldFor = (path: string): FieldName | null => {
  const field = path.replace(/^input\./, '')
  if (field === 'sizeBytes') return 'file'
  return fieldNames.includes(field) ? (field as FieldName) : null
}
const noErrors: FormErrors<FieldName> = { fields: {}, general: null }

const formats: { value: DiskFormat; label: string; endings: string[] }[] = [
  { value: 'QCOW2', label: 'QCOW2', endings: ['qcow2', 'qcow'] },
  { value: 'RAW', label: 'Raw', endings: ['raw', 'img', 'bin'] },
  { value: 'ISO', label: 'ISO 9660', endings: ['iso'] },
  { value: 'VMDK', label: 'VMDK', endings: ['vmdk'] },
  { value: 'VHD', label: 'VHD', endings: ['vhd'] },
  { value: 'VHDX', label: 'VHDX', endings: ['vhdx'] },
]

interface UploadImageDialogProps {
  /** An image without data; null makes a new one. */
  image: ImageFieldsFragment | null
  onClose: () => void
  onDone: (name: string) => void
  onChanged: () => void
}

export function UploadImageDialog({ image, onClose, onDone, onChanged }: UploadImageDialogProps) {
  const formId = useId()
  const form = useRef<HTMLFormElement>(null)
  const mayPublish = useMay('image:publicize_image')
  const [name, setName] = useState(image?.name ?? '')
  const [diskFormat, setDiskFormat] = useState<DiskFormat>(image?.diskFormat ?? 'QCOW2')
  const [minRamMb, setMinRamMb] = useState('0')
  const [minDiskGb, setMinDiskGb] = useState('0')
  const [isPublic, setIsPublic] = useState(false)
  const [checksum, setChecksum] = useState('')
  const [file, setFile] = useState<File | null>(null)
  const [errors, setErrors] = useState(noErrors)
  const [made, setMade] = useState<string | null>(null)
  const [create] = useMutation(createImageMutation)
  const [remove] = useMutation(deleteImageMutation)
  const { state, upload } = useImageUpload()
  /** The run that is under way: closing the dialog at any moment of it leaves nothing behind. */
  const run = useRef<AbortController | null>(null)
  /** An image made here whose data was refused. */
  const leftover = useRef<string | null>(null)
  const working = state.stage === 'sending' || state.stage === 'checking'
  const shownName = image?.name ?? name

  const discard = useRef(async (_imageId: string): Promise<void> => {})
  useEffect(() => {
    leftover.current = state.stage === 'failed' ? made : null
    discard.current = async (imageId) => {
      // Where this is not heard, it stays in the list as an image without data, to be filled or deleted.
      await remove({ variables: { input: { imageId, idempotencyKey: randomKey() } } }).catch(() => undefined)
      onChanged()
    }
  })
  useEffect(
    () => () => {
      run.current?.abort()
      if (run.current === null && leftover.current !== null) void discard.current(leftover.current)
    },
    [],
  )

  useEffect(() => {
    if (state.stage !== 'done') return
    onDone(shownName)
    onClose()
  }, [state.stage, onDone, onClose, shownName])

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    const found: FormErrors<FieldName>['fields'] = {}
    if (name.trim() === '') found.name = edit.nameMissing
    for (const [field, value] of [
      ['minRamMb', minRamMb],
      ['minDiskGb', minDiskGb],
    ] as const) {
      if (!/^\d{1,10}$/.test(value)) found[field] = edit.natural
    }
    if (checksum !== '' && !/^(sha256:)?[0-9a-f]{64}$/i.test(checksum.trim())) found.checksum = words.checksumWrong
    if (file === null) found.file = words.fileMissing
    else if (file.size === 0) found.file = words.fileEmpty
    if (Object.keys(found).length > 0 || file === null) return showErrors(form.current, () => setErrors({ fields: found, general: null }))
    setErrors(noErrors)
    const abort = new AbortController()
    run.current = abort
    const isClosed = (): boolean => abort.signal.aborted
    const digest = checksum === '' ? null : `sha256:${checksum.trim().toLowerCase().replace('sha256:', '')}`
    let imageId = image?.id ?? made
    try {
      if (imageId === null) {
        const { data } = await create({
          variables: {
            input: {
              name: name.trim(),
              diskFormat,
              containerFormat: 'BARE',
              visibility: isPublic ? 'PUBLIC' : 'PRIVATE',
              minRamMb: Number(minRamMb),
              minDiskGb: Number(minDiskGb),
              idempotencyKey: randomKey(),
            },
          },
        })
        imageId = data?.createImage.image.id ?? null
        if (imageId === null) return
        if (isClosed()) return await discard.current(imageId)
        setMade(imageId)
      }
      onChanged()
      await upload(imageId, file, digest, abort)
    } catch (error) {
      if (isClosed()) return imageId !== null && image === null ? await discard.current(imageId) : onChanged()
      const mapped = formErrors(error, fieldFor)
      showErrors(form.current, () => setErrors(mapped.general === null ? mapped : { fields: {}, general: mapped.general }))
    } finally {
      if (run.current === abort) run.current = null
    }
  }
  return (
    <Modal isOpen variant="medium" onClose={onClose} aria-labelledby="upload-title">
      <ModalHeader title={image === null ? words.createTitle : words.dataOf(shownName)} labelId="upload-title" />
      <ModalBody>
        <Form id={formId} ref={form} onSubmit={(event) => void submit(event)} noValidate>
          {errors.general !== null && <Alert component="p" isInline isLiveRegion variant="danger" title={errors.general} />}
          {state.stage === 'failed' && errors.general === null && Object.keys(errors.fields).length === 0 && (
            <Alert component="p" isInline isLiveRegion variant="danger" title={words.refused}>
              {state.message}
            </Alert>
          )}
          <FormGroup label={words.file} fieldId="image-file" isRequired>
            <input
              id="image-file"
              type="file"
              disabled={working}
              aria-invalid={errors.fields.file !== undefined}
              aria-describedby="image-file-message"
              onChange={(event) => {
                const [chosen] = event.target.files ?? []
                setFile(chosen ?? null)
                if (chosen === undefined) return
                const ending = chosen.name.split('.').at(-1)?.toLowerCase() ?? ''
                const guess = formats.find((format) => format.endings.includes(ending))
                if (guess !== undefined && image === null && made === null) setDiskFormat(guess.value)
                if (name === '') setName(chosen.name.replace(/\.[a-z0-9]{1,6}$/i, ''))
              }}
            />
            <FieldMessage id="image-file" error={errors.fields.file} help={file === null ? words.fileHint : formatBytes(file.size)} />
          </FormGroup>
          <TextField
            id="image-name"
            label={edit.name}
            value={name}
            onChange={setName}
            error={errors.fields.name}
            isRequired
            isDisabled={working || image !== null || made !== null}
          />
          <SelectField
            id="image-format"
            label={details.format}
            value={diskFormat}
            onChange={(value) => setDiskFormat(formats.find((format) => format.value === value)?.value ?? 'RAW')}
            options={formats}
            error={errors.fields.diskFormat}
            help={words.formatHint}
            isDisabled={working || image !== null || made !== null}
          />
          {image === null && (
            <>
              <Grid hasGutter sm={6}>
                <GridItem>
                  <TextField
                    id="image-min-ram"
                    label={edit.leastMemory}
                    type="number"
                    min={0}
                    value={minRamMb}
                    onChange={setMinRamMb}
                    error={errors.fields.minRamMb}
                    isDisabled={working || made !== null}
                  />
                </GridItem>
                <GridItem>
                  <TextField
                    id="image-min-disk"
                    label={edit.leastDisk}
                    type="number"
                    min={0}
                    value={minDiskGb}
                    onChange={setMinDiskGb}
                    error={errors.fields.minDiskGb}
                    isDisabled={working || made !== null}
                  />
                </GridItem>
              </Grid>
              {mayPublish && (
                <Checkbox
                  id="image-public"
                  label={words.public}
                  description={words.publicHint}
                  isChecked={isPublic}
                  onChange={(_event, checked) => setIsPublic(checked)}
                  isDisabled={working || made !== null}
                />
              )}
            </>
          )}
          <TextField
            id="image-checksum"
            label={words.checksum}
            value={checksum}
            onChange={setChecksum}
            error={errors.fields.checksum}
            help={words.checksumHint}
            isMonospace
            isDisabled={working}
          />
        </Form>
        {state.stage === 'sending' && (
          <Progress
            className="kn-gap-above"
            title={words.sending}
            value={Math.floor((state.sentBytes / state.totalBytes) * 100)}
            helperText={words.progress(formatBytes(state.sentBytes), formatBytes(state.totalBytes))}
          />
        )}
        {state.stage === 'checking' && <Progress className="kn-gap-above" title={words.checking} value={state.percent} />}
      </ModalBody>
      <ModalFooter>
        <Button type="submit" form={formId} isLoading={working} isDisabled={working}>
          {image === null && made === null ? words.createAndUpload : words.submit}
        </Button>
        <Button variant="link" onClick={onClose}>
          {state.stage === 'checking' ? words.close : words.cancel}
        </Button>
      </ModalFooter>
    </Modal>
  )
}
