/** What cloud-init gets: typed or from a file, measured as it is sent. */
import { Button, FormGroup, Progress, ProgressMeasureLocation } from '@patternfly/react-core'
import { useRef, useState } from 'react'
import { TextAreaField } from '../components/fields.js'
import type { Draft } from './draft.js'
import { encodedUserData, toBase64, userDataLimit } from './launch-input.js'

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
    if (file.size > userDataLimit)
      return setFileError(`${file.name} is too large; user data may have ${userDataLimit} characters once encoded.`)
    setFileError(null)
    onChange({ kind: 'file', name: file.name, base64: toBase64(new Uint8Array(await file.arrayBuffer())) })
  }
  const message = error ?? fileError ?? undefined
  return (
    <>
      {userData.kind === 'text' ? (
        <TextAreaField
          id="launch-user-data"
          label="User data"
          value={userData.text}
          onChange={(text) => onChange({ kind: 'text', text })}
          error={message}
          help="For cloud-init, for example #cloud-config. It is not a place for secrets: everybody in the server can read it."
          rows={6}
        />
      ) : (
        <FormGroup label="User data">
          <p className="kn-break">From file {userData.name}</p>
          {message !== undefined && <p role="alert">{message}</p>}
          <Button variant="link" isInline onClick={() => onChange({ kind: 'text', text: '' })}>
            Remove the file
          </Button>
        </FormGroup>
      )}
      <FormGroup label="Or from a file" fieldId="launch-user-data-file">
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
          aria-label="Size of the user data"
          value={Math.min((size / userDataLimit) * 100, 100)}
          {...(size > userDataLimit ? { variant: 'danger' as const } : {})}
          measureLocation={ProgressMeasureLocation.none}
          helperText={`${size.toLocaleString()} of ${userDataLimit.toLocaleString()} characters once encoded`}
        />
      )}
    </>
  )
}
