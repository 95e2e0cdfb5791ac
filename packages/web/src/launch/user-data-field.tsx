/** What cloud-init gets: typed or from a file, measured as it is sent. */
import { Button, FormGroup, Progress, ProgressMeasureLocation } from '@patternfly/react-core'
import { useRef, useState } from 'react'
import { TextAreaField } from '../components/fields.js'
import { text } from '../text/text.js'
import type { Draft } from './draft.js'
import { encodedUserData, toBase64, userDataLimit } from './launch-input.js'

const words = text.launch.userData

interface UserDataFieldProps {
  draft: Draft
  onChange: (userData: Draft['userData']) => void
  error: string | undefined
}

export function UserDataField({ draft, onChange, error }: UserDataFieldProps) {
  const { userData } = draft
  const input = useRef<HTMLInputElement>(null)
  const [fileError, setFileError] = useState<string | null>(null)
  const size = encodedUserData(draft).length
  const read = async (file: File): Promise<void> => {
    if (file.size > userDataLimit) return setFileError(words.fileTooLarge(file.name, userDataLimit))
    setFileError(null)
    onChange({ kind: 'file', name: file.name, base64: toBase64(new Uint8Array(await file.arrayBuffer())) })
  }
  const message = error ?? fileError ?? undefined
  return (
    <>
      {userData.kind === 'text' ? (
        <TextAreaField
          id="launch-user-data"
          label={text.launch.fields.userData}
          value={userData.text}
          onChange={(text) => onChange({ kind: 'text', text })}
          error={message}
          help={text.launch.fields.userDataHelp}
          rows={6}
        />
      ) : (
        <FormGroup label={text.launch.fields.userData}>
          <p className="kn-break">{words.fromFile(userData.name)}</p>
          {message !== undefined && <p role="alert">{message}</p>}
          <Button variant="link" isInline onClick={() => onChange({ kind: 'text', text: '' })}>
            {words.removeFile}
          </Button>
        </FormGroup>
      )}
      <FormGroup label={words.orFile} fieldId="launch-user-data-file">
        <input
          ref={input}
          id="launch-user-data-file"
          type="file"
          onChange={(event) => {
            const [file] = event.target.files ?? []
            if (file !== undefined) void read(file)
            // The same file can be chosen again after it was changed.
            event.target.value = ''
          }}
        />
      </FormGroup>
      {size > 0 && (
        <Progress
          size="sm"
          aria-label={words.size}
          value={Math.min((size / userDataLimit) * 100, 100)}
          {...(size > userDataLimit ? { variant: 'danger' as const } : {})}
          measureLocation={ProgressMeasureLocation.none}
          helperText={words.sizeOf(size, userDataLimit)}
        />
      )}
    </>
  )
}
