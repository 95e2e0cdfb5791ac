/** The private key of a new key pair, shown once: closing asks again unless it was copied or downloaded. */
import { Alert, Button, FormGroup, Modal, ModalBody, ModalFooter, ModalHeader, TextArea } from '@patternfly/react-core'
import { useEffect, useRef, useState } from 'react'
import { useBlocker } from 'react-router'
import { FieldMessage } from '../components/fields.js'
import type { KeypairType } from '../generated/graphql.js'
import { text } from '../text/text.js'
import { copyField, privateKeyFile, saveFile } from './private-key.js'

const words = text.keypairs.private

export interface NewKeypair {
  name: string
  type: KeypairType
  privateKey: string
}

export function PrivateKeyDialog({ keypair, onClose }: { keypair: NewKeypair; onClose: () => void }) {
  const field = useRef<HTMLTextAreaElement>(null)
  const [isKept, setIsKept] = useState(false)
  const [said, setSaid] = useState<string | null>(null)
  const [isAsking, setIsAsking] = useState(false)
  const blocker = useBlocker(!isKept)
  useEffect(() => {
    if (isKept) return
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault()
    window.addEventListener('beforeunload', warn)
    return () => window.removeEventListener('beforeunload', warn)
  }, [isKept])

  const copy = async (): Promise<void> => {
    if (field.current === null) return
    const copied = await copyField(field.current)
    if (copied) setIsKept(true)
    setSaid(copied ? words.copied : words.notCopied)
  }
  const download = (): void => {
    saveFile(privateKeyFile(keypair.name, keypair.type, keypair.privateKey))
    setIsKept(true)
    setSaid(words.downloaded)
  }
  if (isAsking || blocker.state === 'blocked') {
    const stay = (): void => {
      setIsAsking(false)
      if (blocker.state === 'blocked') blocker.reset()
    }
    return (
      <Modal key="ask" isOpen variant="small" onClose={stay} aria-labelledby="leave-key-title" aria-describedby="leave-key-body">
        <ModalHeader title={words.leaveTitle} labelId="leave-key-title" titleIconVariant="warning" />
        <ModalBody id="leave-key-body">{words.leaveHint}</ModalBody>
        <ModalFooter>
          <Button onClick={stay}>{words.stay}</Button>
          <Button
            variant="link"
            isDanger
            onClick={() => {
              if (blocker.state === 'blocked') blocker.proceed()
              onClose()
            }}
          >
            {words.leave}
          </Button>
        </ModalFooter>
      </Modal>
    )
  }
  const close = (): void => (isKept ? onClose() : setIsAsking(true))
  return (
    <Modal key="show" isOpen variant="medium" onClose={close} aria-labelledby="private-key-title">
      <ModalHeader title={words.title(keypair.name)} labelId="private-key-title" />
      <ModalBody>
        <Alert component="p" isInline variant="warning" title={words.warning} className="kn-gap-below">
          {words.warningHint}
        </Alert>
        <FormGroup label={words.label} fieldId="private-key">
          <TextArea
            id="private-key"
            ref={field}
            readOnlyVariant="default"
            rows={10}
            value={keypair.privateKey}
            className="kn-mono"
            spellCheck={false}
            aria-describedby="private-key-message"
          />
          <FieldMessage id="private-key" help={keypair.type === 'SSH' ? words.sshHint : words.pfxHint} />
        </FormGroup>
        <div className="kn-gap-above">
          <Button variant="secondary" onClick={download}>
            {words.download}
          </Button>{' '}
          <Button variant="secondary" onClick={() => void copy()}>
            {words.copy}
          </Button>{' '}
          <span role="status">{said}</span>
        </div>
      </ModalBody>
      <ModalFooter>
        <Button onClick={close}>{words.close}</Button>
      </ModalFooter>
    </Modal>
  )
}
