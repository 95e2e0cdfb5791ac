/** Asks before something is done to many servers, then shows what becomes of each. */
import { Alert, Button, ExpandableSection, Form, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core'
import { type FormEvent, useId, useRef, useState } from 'react'
import { TextField } from '../components/fields.js'
import { filledRows, type KeyValueRow, KeyValueRows, newRow } from '../components/key-value-rows.js'
import { showErrors } from '../components/show-errors.js'
import { text } from '../text/text.js'
import { ServersBulkResults } from './servers-bulk-results.js'
import { tagsOf } from './tags-of.js'
import { type BulkWish, isBad, isOver, useBulkRun } from './use-bulk-run.js'
import { type ActableServer, nameOf, type OfferedAction, refusalOf } from './use-server-actions.js'

const words = text.servers.bulk

interface ServersBulkDialogProps {
  action: OfferedAction
  servers: readonly ActableServer[]
  close: () => void
}

export function ServersBulkDialog({ action, servers, close }: ServersBulkDialogProps) {
  const id = useId()
  const form = useRef<HTMLFormElement>(null)
  const { label } = text.servers.actions[action]
  /** As they stood when the question was asked. */
  const [able] = useState(() => servers.filter((server) => refusalOf(server, action) === null))
  const unable = servers.filter((server) => !able.includes(server))
  const { outcomes, run } = useBulkRun()
  const [wish, setWish] = useState<BulkWish | null>(null)
  const [reason, setReason] = useState('')
  const [tags, setTags] = useState({ add: '', remove: '' })
  const [rows, setRows] = useState<KeyValueRow[]>(() => [newRow()])
  const [missing, setMissing] = useState<string | undefined>(undefined)

  const wishOf = (): BulkWish => {
    switch (action) {
      case 'LOCK':
        return { action, ...(reason.trim() === '' ? {} : { reason: reason.trim() }) }
      case 'CHANGE_TAGS':
        return { action, addTags: tagsOf(tags.add), removeTags: tagsOf(tags.remove) }
      case 'CHANGE_METADATA':
        return { action, metadata: filledRows(rows) }
      default:
        return { action }
    }
  }
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    const next = wishOf()
    const lacks =
      action === 'CHANGE_TAGS' && tagsOf(`${tags.add},${tags.remove}`).length === 0
        ? words.tagsMissing
        : action === 'CHANGE_METADATA' && filledRows(rows).length === 0
          ? words.metadataMissing
          : undefined
    if (lacks !== undefined) {
      showErrors(form.current, () => setMissing(lacks))
      return
    }
    setWish(next)
    void run(
      next,
      able.map((server) => server.id),
    )
  }
  const failed = able.filter((server) => {
    const outcome = outcomes.get(server.id)
    return outcome !== undefined && isBad(outcome)
  })
  const allOver = able.every((server) => {
    const outcome = outcomes.get(server.id)
    return outcome !== undefined && isOver(outcome)
  })

  return (
    <Modal isOpen variant={wish === null ? 'small' : 'medium'} onClose={close} aria-labelledby={`${id}-title`}>
      <ModalHeader
        title={words.title(label, able.length)}
        labelId={`${id}-title`}
        titleIconVariant={action === 'DELETE' ? 'warning' : undefined}
      />
      <ModalBody tabIndex={0} aria-label={words.title(label, able.length)}>
        {wish === null ? (
          <>
            <p className="kn-gap-below">{words.ask(able.length, servers.length)}</p>
            {action === 'DELETE' && <Alert component="p" isInline variant="warning" title={words.deleteWarning} className="kn-gap-below" />}
            {unable.length > 0 && (
              <ExpandableSection toggleText={words.unable(unable.length)} className="kn-gap-below">
                <ul className="kn-scroll">
                  {unable.map((server) => (
                    <li key={server.id} className="kn-break">
                      {nameOf(server)}: {refusalOf(server, action)}
                    </li>
                  ))}
                </ul>
              </ExpandableSection>
            )}
            <Form id={`${id}-form`} ref={form} onSubmit={submit} noValidate>
              {action === 'LOCK' && (
                <TextField id="bulk-reason" label={words.lockReason} value={reason} onChange={setReason} help={words.lockReasonHelp} />
              )}
              {action === 'CHANGE_TAGS' && (
                <>
                  <TextField
                    id="bulk-add-tags"
                    label={words.addTags}
                    value={tags.add}
                    onChange={(add) => setTags({ ...tags, add })}
                    help={words.byCommas}
                    error={missing}
                  />
                  <TextField
                    id="bulk-remove-tags"
                    label={words.removeTags}
                    value={tags.remove}
                    onChange={(remove) => setTags({ ...tags, remove })}
                    help={words.byCommas}
                  />
                </>
              )}
              {action === 'CHANGE_METADATA' && (
                <KeyValueRows id="bulk-metadata" noun={words.metadataItem} rows={rows} onChange={setRows} error={missing} />
              )}
            </Form>
          </>
        ) : (
          <ServersBulkResults servers={able} outcomes={outcomes} />
        )}
      </ModalBody>
      <ModalFooter>
        {wish === null ? (
          <Button type="submit" form={`${id}-form`} variant={action === 'DELETE' ? 'danger' : 'primary'}>
            {words.confirm(label, able.length)}
          </Button>
        ) : (
          allOver &&
          failed.length > 0 && (
            <Button
              variant="secondary"
              onClick={() =>
                void run(
                  wish,
                  failed.map((server) => server.id),
                )
              }
            >
              {words.retry(failed.length)}
            </Button>
          )
        )}
        <Button variant={wish === null ? 'link' : 'primary'} onClick={close}>
          {wish === null ? words.cancel : words.close}
        </Button>
      </ModalFooter>
    </Modal>
  )
}
