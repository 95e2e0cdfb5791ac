/** Changes limits: of a project, or the defaults. Only what was changed is sent; each refusal stands beside its field. */
import { Alert, Button, Checkbox, Form, FormGroup, Grid, GridItem, Label } from '@patternfly/react-core'
import { type FormEvent, useRef, useState } from 'react'
import { TextField } from '../components/fields.js'
import { showErrors } from '../components/show-errors.js'
import type { QuotaResource } from '../generated/graphql.js'
import { type FormErrors, formErrors, problemOf } from '../lib/problem.js'
import { text } from '../text/text.js'
import { QuotaBar } from './quota-bar.js'
import { formatLimit, resourceWords } from './resources.js'

export interface EditableItem {
  resource: QuotaResource
  limit: number
  inUse: number
  isOverride: boolean
  /** What it falls back to; null where this is the default itself. */
  byDefault: number | null
}
export interface LimitChange {
  resource: QuotaResource
  limit: number
}

interface QuotaFormProps {
  items: readonly EditableItem[]
  generation: number
  /** Whether limits below the use can be forced. */
  hasUse: boolean
  /** Null: nothing can be reset. */
  onReset: (() => void) | null
  /** `generation`: what was shown when the first change was typed. */
  save: (changes: LimitChange[], generation: number, force: boolean) => Promise<void>
}

const words = text.quotas.edit
const greatest = 2147483647
const noErrors: FormErrors<QuotaResource> = { fields: {}, general: null }

function faultOf(typed: string): string | null {
  if (!/^-?\d{1,10}$/.test(typed.trim())) return words.notANumber
  const value = Number(typed)
  if (value < -1) return words.tooLow
  return value > greatest ? words.tooHigh(greatest) : null
}

export function QuotaForm({ items, generation, hasUse, onReset, save }: QuotaFormProps) {
  const form = useRef<HTMLFormElement>(null)
  const [typed, setTyped] = useState<Partial<Record<QuotaResource, string>>>({})
  // What is shown may be fetched again while somebody types; whoever has changed it meanwhile is not overwritten unseen.
  const [typedOn, setTypedOn] = useState<number | null>(null)
  const [force, setForce] = useState(false)
  const [errors, setErrors] = useState(noErrors)
  const [busy, setBusy] = useState(false)
  const textOf = (item: EditableItem): string => typed[item.resource] ?? String(item.limit)
  const changed = items.filter((item) => textOf(item).trim() !== String(item.limit))

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    const found: FormErrors<QuotaResource>['fields'] = {}
    for (const item of changed) {
      const fault = faultOf(textOf(item))
      if (fault !== null) found[item.resource] = fault
    }
    if (Object.keys(found).length > 0) return showErrors(form.current, () => setErrors({ fields: found, general: null }))
    setErrors(noErrors)
    setBusy(true)
    const changes = changed.map((item) => ({ resource: item.resource, limit: Number(textOf(item)) }))
    try {
      await save(changes, typedOn ?? generation, force)
      setTyped({})
      setTypedOn(null)
      setForce(false)
      setBusy(false)
    } catch (error) {
      // The server names limits by their place in the list that was sent.
      const fieldFor = (path: string): QuotaResource | null => changes[Number(/^input\.limits\.(\d+)/.exec(path)?.[1])]?.resource ?? null
      showErrors(form.current, () => {
        setErrors(formErrors(error, fieldFor))
        setBusy(false)
        if (problemOf(error).code === 'GENERATION_MISMATCH') setTypedOn(null)
      })
    }
  }
  return (
    <Form ref={form} onSubmit={(event) => void submit(event)} noValidate>
      {errors.general !== null && <Alert component="p" isInline isLiveRegion variant="danger" title={errors.general} />}
      <Grid hasGutter md={6}>
        {items.map((item) => (
          <GridItem key={item.resource}>
            <TextField
              id={`quota-${item.resource}`}
              label={resourceWords[item.resource].input}
              type="number"
              min={-1}
              isRequired
              value={textOf(item)}
              onChange={(value) => {
                setTyped({ ...typed, [item.resource]: value })
                setTypedOn(typedOn ?? generation)
              }}
              error={errors.fields[item.resource]}
              help={item.byDefault === null ? words.help : words.helpWithDefault(formatLimit(item.resource, item.byDefault))}
            />
            <div className="kn-gap-above">
              {hasUse && resourceWords[item.resource].isShared && <QuotaBar item={item} />}
              {item.isOverride && (
                <Label isCompact color="blue">
                  {item.byDefault === null ? words.setHere : words.ownLimit}
                </Label>
              )}
            </div>
          </GridItem>
        ))}
      </Grid>
      {hasUse && (
        <Checkbox
          id="quota-force"
          label={words.force}
          description={words.forceHint}
          isChecked={force}
          onChange={(_event, checked) => setForce(checked)}
        />
      )}
      <FormGroup>
        <Button type="submit" isLoading={busy} isDisabled={busy || changed.length === 0}>
          {words.save}
        </Button>{' '}
        {onReset !== null && (
          <Button variant="secondary" isDanger onClick={onReset} isDisabled={busy || !items.some((item) => item.isOverride)}>
            {words.reset}
          </Button>
        )}
      </FormGroup>
    </Form>
  )
}
