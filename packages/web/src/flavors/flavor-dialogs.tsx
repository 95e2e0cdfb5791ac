/** Making a flavor, and changing its extra specs. */
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
} from '@patternfly/react-core'
import { type FormEvent, useId, useRef, useState } from 'react'
import { TextField } from '../components/fields.js'
import { filledRows, KeyValueRows, newRow } from '../components/key-value-rows.js'
import { showErrors } from '../components/show-errors.js'
import type { FlavorFieldsFragment } from '../generated/graphql.js'
import { randomKey } from '../lib/keys.js'
import { type FormErrors, formErrors } from '../lib/problem.js'
import { createFlavorMutation, deleteExtraSpecsMutation, setExtraSpecsMutation } from './flavor.documents.js'

const numbers = ['vcpus', 'ramMb', 'diskGb', 'ephemeralGb', 'swapMb'] as const
type NumberField = (typeof numbers)[number]
type FieldName = 'name' | 'id' | 'description' | 'extraSpecs' | NumberField
const fieldNames: readonly string[] = ['name', 'id', 'description', 'extraSpecs', ...numbers]

const fieldFor = (path: string): FieldName | null => {
  const [, field = ''] = path.split('.')
  return fieldNames.includes(field) ? (field as FieldName) : null
}
const noErrors: FormErrors<FieldName> = { fields: {}, general: null }

const numberLabels: Record<NumberField, { label: string; least: number; help: string }> = {
  vcpus: { label: 'vCPUs', least: 1, help: 'At least 1.' },
  ramMb: { label: 'Memory (MiB)', least: 1, help: 'At least 1.' },
  diskGb: { label: 'Root disk (GB)', least: 0, help: '0: as large as the image.' },
  ephemeralGb: { label: 'Ephemeral disk (GB)', least: 0, help: 'Lost with the server.' },
  swapMb: { label: 'Swap (MiB)', least: 0, help: '0: none.' },
}

export function CreateFlavorDialog({ onClose, onCreated }: { onClose: () => void; onCreated: (name: string) => void }) {
  const formId = useId()
  const form = useRef<HTMLFormElement>(null)
  const [texts, setTexts] = useState({ name: '', id: '', description: '' })
  const [amounts, setAmounts] = useState<Record<NumberField, string>>({
    vcpus: '1',
    ramMb: '512',
    diskGb: '1',
    ephemeralGb: '0',
    swapMb: '0',
  })
  const [isPublic, setIsPublic] = useState(true)
  const [specs, setSpecs] = useState([newRow()])
  const [errors, setErrors] = useState(noErrors)
  const [create, { loading }] = useMutation(createFlavorMutation)

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    const found: FormErrors<FieldName>['fields'] = {}
    if (texts.name.trim() === '') found.name = 'Enter a name.'
    for (const field of numbers) {
      const { least } = numberLabels[field]
      if (!/^\d{1,10}$/.test(amounts[field]) || Number(amounts[field]) < least) found[field] = `Enter a whole number of at least ${least}.`
    }
    if (filledRows(specs).some(({ key }) => key === '')) found.extraSpecs = 'Each extra spec needs a key.'
    if (Object.keys(found).length > 0) return showErrors(form.current, () => setErrors({ fields: found, general: null }))
    setErrors(noErrors)
    try {
      await create({
        variables: {
          input: {
            name: texts.name.trim(),
            ...(texts.id === '' ? {} : { id: texts.id }),
            ...(texts.description === '' ? {} : { description: texts.description }),
            vcpus: Number(amounts.vcpus),
            ramMb: Number(amounts.ramMb),
            diskGb: Number(amounts.diskGb),
            ephemeralGb: Number(amounts.ephemeralGb),
            swapMb: Number(amounts.swapMb),
            isPublic,
            extraSpecs: filledRows(specs),
            idempotencyKey: randomKey(),
          },
        },
      })
      onCreated(texts.name.trim())
      onClose()
    } catch (error) {
      showErrors(form.current, () => setErrors(formErrors(error, fieldFor)))
    }
  }
  const text = (field: keyof typeof texts) => ({
    id: `flavor-${field}`,
    value: texts[field],
    onChange: (value: string) => setTexts({ ...texts, [field]: value }),
    error: errors.fields[field],
  })
  return (
    <Modal isOpen variant="medium" onClose={onClose} aria-labelledby="create-flavor-title">
      <ModalHeader title="Create a flavor" labelId="create-flavor-title" />
      <ModalBody>
        <Form id={formId} ref={form} onSubmit={(event) => void submit(event)} noValidate>
          {errors.general !== null && <Alert component="p" isInline isLiveRegion variant="danger" title={errors.general} />}
          <TextField {...text('name')} label="Name" isRequired />
          <Grid hasGutter sm={6}>
            {numbers.map((field) => (
              <GridItem key={field}>
                <TextField
                  id={`flavor-${field}`}
                  label={numberLabels[field].label}
                  type="number"
                  min={numberLabels[field].least}
                  isRequired
                  value={amounts[field]}
                  onChange={(value) => setAmounts({ ...amounts, [field]: value })}
                  error={errors.fields[field]}
                  help={numberLabels[field].help}
                />
              </GridItem>
            ))}
            <GridItem>
              <TextField {...text('id')} label="Id" help="Optional; made up when empty." />
            </GridItem>
          </Grid>
          <TextField {...text('description')} label="Description" />
          <Checkbox
            id="flavor-public"
            label="Public"
            description="Every project may use it. A private flavor is for projects on its access list."
            isChecked={isPublic}
            onChange={(_event, checked) => setIsPublic(checked)}
          />
          <FormGroup label="Extra specs" role="group">
            <KeyValueRows id="flavor-specs" noun="Extra spec" rows={specs} onChange={setSpecs} error={errors.fields.extraSpecs} />
          </FormGroup>
        </Form>
      </ModalBody>
      <ModalFooter>
        <Button type="submit" form={formId} isLoading={loading} isDisabled={loading}>
          Create
        </Button>
        <Button variant="link" onClick={onClose}>
          Cancel
        </Button>
      </ModalFooter>
    </Modal>
  )
}

export function ExtraSpecsDialog({ flavor, onClose }: { flavor: FlavorFieldsFragment; onClose: () => void }) {
  const before = flavor.extraSpecs ?? []
  const form = useRef<HTMLDivElement>(null)
  const [rows, setRows] = useState(() => (before.length === 0 ? [newRow()] : before.map(({ key, value }) => newRow(key, value))))
  const [failure, setFailure] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const [write] = useMutation(setExtraSpecsMutation)
  const [remove] = useMutation(deleteExtraSpecsMutation)

  const save = async (): Promise<void> => {
    const wanted = filledRows(rows)
    const keys = new Set(wanted.map(({ key }) => key))
    if (keys.has('')) return showErrors(form.current, () => setFailure('Each extra spec needs a key.'))
    if (keys.size < wanted.length) return showErrors(form.current, () => setFailure('Each key may stand once.'))
    const changed = wanted.filter(({ key, value }) => before.find((spec) => spec.key === key)?.value !== value)
    const gone = before.map(({ key }) => key).filter((key) => !keys.has(key))
    setBusy(true)
    setFailure(null)
    try {
      // Writing first: what the server refuses is found before anything is taken away.
      if (changed.length > 0)
        await write({ variables: { input: { flavorId: flavor.id, extraSpecs: changed, idempotencyKey: randomKey() } } })
      if (gone.length > 0) await remove({ variables: { input: { flavorId: flavor.id, keys: gone, idempotencyKey: randomKey() } } })
      onClose()
    } catch (error) {
      const { general, fields } = formErrors<'specs'>(error, () => 'specs')
      showErrors(form.current, () => {
        setFailure(fields.specs ?? general)
        setBusy(false)
      })
    }
  }
  return (
    <Modal isOpen variant="medium" onClose={onClose} aria-labelledby="specs-title">
      <ModalHeader
        title={`Extra specs of ${flavor.name}`}
        labelId="specs-title"
        description="Servers that exist keep what they were made with."
      />
      <ModalBody>
        <div ref={form}>
          <KeyValueRows id="specs" noun="Extra spec" rows={rows} onChange={setRows} error={failure ?? undefined} />
        </div>
      </ModalBody>
      <ModalFooter>
        <Button onClick={() => void save()} isLoading={busy} isDisabled={busy}>
          Save
        </Button>
        <Button variant="link" onClick={onClose}>
          Cancel
        </Button>
      </ModalFooter>
    </Modal>
  )
}
