/** Makes a flavor, from nothing or as a copy of another. */
import { useMutation, useQuery } from '@apollo/client/react'
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
import { newRow } from '../components/key-value-rows.js'
import { showErrors } from '../components/show-errors.js'
import type { FlavorQuery } from '../generated/graphql.js'
import { randomKey } from '../lib/keys.js'
import { type FormErrors, formErrors, problemOf } from '../lib/problem.js'
import { extraSpecSchemaQuery } from '../properties/property.documents.js'
import { faultAt, faultsOf, PropertyRows, type RowFaults, typedRows } from '../properties/property-rows.js'
import { text } from '../text/text.js'
import { createFlavorMutation } from './flavor.documents.js'

const words = text.flavors.create
const numbers = ['vcpus', 'ramMb', 'diskGb', 'ephemeralGb', 'swapMb'] as const
type NumberField = (typeof numbers)[number]
const least: Record<NumberField, number> = { vcpus: 1, ramMb: 1, diskGb: 0, ephemeralGb: 0, swapMb: 0 }
type FieldName = 'name' | 'id' | 'description' | NumberField
const fieldNames: readonly FieldName[] = ['name', 'id', 'description', ...numbers]
const fieldFor = (path: string): FieldName | null => fieldNames.find((name) => path === `input.${name}`) ?? null
const noErrors: FormErrors<FieldName> = { fields: {}, general: null }
const noFaults: RowFaults = new Map()

export type FlavorDetails = NonNullable<FlavorQuery['flavor']>

interface CreateFlavorDialogProps {
  /** The flavor to copy. */
  from: FlavorDetails | null
  onClose: () => void
  onCreated: (flavor: { id: string; name: string }) => void
}

export function CreateFlavorDialog({ from, onClose, onCreated }: CreateFlavorDialogProps) {
  const formId = useId()
  const form = useRef<HTMLFormElement>(null)
  const [texts, setTexts] = useState({ name: from === null ? '' : words.copyOf(from.name), id: '', description: from?.description ?? '' })
  const [amounts, setAmounts] = useState<Record<NumberField, string>>({
    vcpus: String(from?.vcpus ?? 1),
    ramMb: String(from?.ramMb ?? 512),
    diskGb: String(from?.diskGb ?? 1),
    ephemeralGb: String(from?.ephemeralGb ?? 0),
    swapMb: String(from?.swapMb ?? 0),
  })
  const [isPublic, setIsPublic] = useState(from?.isPublic ?? true)
  // Projects that are gone stay behind.
  const access = (from?.access ?? []).filter(({ project }) => project !== null).map(({ projectId }) => projectId)
  const [sameAccess, setSameAccess] = useState(true)
  const [rows, setRows] = useState(() => {
    const copied = (from?.extraSpecs ?? []).map(({ key, value }) => newRow(key, value))
    return copied.length === 0 ? [newRow()] : copied
  })
  const [errors, setErrors] = useState(noErrors)
  const [faults, setFaults] = useState(noFaults)
  const [create, { loading }] = useMutation(createFlavorMutation)
  const definitions = useQuery(extraSpecSchemaQuery).data?.extraSpecSchema ?? []

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    const found: FormErrors<FieldName>['fields'] = {}
    if (texts.name.trim() === '') found.name = words.nameMissing
    for (const field of numbers) {
      if (!/^\d{1,10}$/.test(amounts[field]) || Number(amounts[field]) < least[field]) found[field] = words.atLeast(least[field])
    }
    const sent = typedRows(rows)
    const wrong = faultsOf(rows, definitions)
    setFaults(wrong)
    if (Object.keys(found).length > 0 || wrong.size > 0) {
      return showErrors(form.current, () => setErrors({ fields: found, general: null }))
    }
    setErrors(noErrors)
    try {
      const { data } = await create({
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
            ...(from === null ? {} : { rxtxFactor: from.rxtxFactor }),
            isPublic,
            ...(isPublic || !sameAccess || access.length === 0 ? {} : { accessProjectIds: access }),
            extraSpecs: sent.map(({ key, value }) => ({ key, value })),
            idempotencyKey: randomKey(),
          },
        },
      })
      if (data != null) onCreated(data.createFlavor.flavor)
      onClose()
    } catch (error) {
      const problem = problemOf(error)
      const refused = faultAt(problem.fields, 'extraSpecs', sent, problem.message)
      showErrors(form.current, () => {
        if (refused === null) setErrors(formErrors(error, fieldFor))
        else setFaults(refused)
      })
    }
  }
  const field = (name: keyof typeof texts) => ({
    id: `flavor-${name}`,
    value: texts[name],
    onChange: (value: string) => setTexts({ ...texts, [name]: value }),
    error: errors.fields[name],
  })
  return (
    <Modal isOpen variant="medium" onClose={onClose} aria-labelledby="create-flavor-title">
      <ModalHeader title={from === null ? words.title : words.cloneTitle(from.name)} labelId="create-flavor-title" />
      <ModalBody>
        <Form id={formId} ref={form} onSubmit={(event) => void submit(event)} noValidate>
          {errors.general !== null && <Alert component="p" isInline isLiveRegion variant="danger" title={errors.general} />}
          <TextField {...field('name')} label={words.name} isRequired />
          <Grid hasGutter sm={6}>
            {numbers.map((name) => (
              <GridItem key={name}>
                <TextField
                  id={`flavor-${name}`}
                  label={words.numbers[name].label}
                  type="number"
                  min={least[name]}
                  isRequired
                  value={amounts[name]}
                  onChange={(value) => setAmounts({ ...amounts, [name]: value })}
                  error={errors.fields[name]}
                  help={words.numbers[name].help}
                />
              </GridItem>
            ))}
            <GridItem>
              <TextField {...field('id')} label={words.id} help={words.idHint} />
            </GridItem>
          </Grid>
          <TextField {...field('description')} label={words.description} />
          <Checkbox
            id="flavor-public"
            label={words.public}
            description={words.publicHint}
            isChecked={isPublic}
            onChange={(_event, checked) => setIsPublic(checked)}
          />
          {!isPublic && access.length > 0 && (
            <Checkbox
              id="flavor-same-access"
              label={words.sameAccess(access.length)}
              description={words.sameAccessHint}
              isChecked={sameAccess}
              onChange={(_event, checked) => setSameAccess(checked)}
            />
          )}
          <FormGroup label={text.flavors.columns.extraSpecs} role="group">
            <PropertyRows
              id="flavor-specs"
              noun={text.flavors.edit.noun}
              rows={rows}
              onChange={setRows}
              definitions={definitions}
              faults={faults}
            />
          </FormGroup>
        </Form>
      </ModalBody>
      <ModalFooter>
        <Button type="submit" form={formId} isLoading={loading} isDisabled={loading}>
          {words.submit}
        </Button>
        <Button variant="link" onClick={onClose}>
          {text.flavors.cancel}
        </Button>
      </ModalFooter>
    </Modal>
  )
}
