/** The secret of a new credential, shown once. It closes by its button only: a click beside it must not lose the secret. */
import { Button, ClipboardCopy, Form, FormGroup, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core'
import { text } from '../text/text.js'
import type { MadeCredential } from './create-credential-dialog.js'

const words = text.identity.credentials

export function CredentialSecretDialog({ made, onClose }: { made: MadeCredential; onClose: () => void }) {
  return (
    <Modal isOpen variant="small" aria-labelledby="secret-title" aria-describedby="secret-hint">
      <ModalHeader title={words.made(made.name)} labelId="secret-title" titleIconVariant="success" />
      <ModalBody>
        <p id="secret-hint" className="kn-gap-below">
          {words.shownOnce}
        </p>
        <Form>
          {(
            [
              [words.id, made.id],
              [words.secret, made.secret],
            ] as const
          ).map(([label, value]) => (
            <FormGroup key={label} label={label} role="group">
              <ClipboardCopy isReadOnly hoverTip={words.copy} clickTip={words.copied} textAriaLabel={label} className="kn-mono">
                {value}
              </ClipboardCopy>
            </FormGroup>
          ))}
        </Form>
      </ModalBody>
      <ModalFooter>
        <Button onClick={onClose}>{words.close}</Button>
      </ModalFooter>
    </Modal>
  )
}
