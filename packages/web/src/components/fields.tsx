/** Form fields whose message stands beside them and is read out with them. */
import {
  FormGroup,
  FormHelperText,
  FormSelect,
  FormSelectOption,
  HelperText,
  HelperTextItem,
  TextArea,
  TextInput,
} from '@patternfly/react-core'
import type { ReactNode } from 'react'

export function FieldMessage({ id, error, help }: { id: string; error?: string | undefined; help?: ReactNode }) {
  if (error === undefined && help === undefined) return null
  return (
    <FormHelperText>
      <HelperText id={`${id}-message`} isLiveRegion={error !== undefined}>
        <HelperTextItem variant={error === undefined ? 'default' : 'error'}>{error ?? help}</HelperTextItem>
      </HelperText>
    </FormHelperText>
  )
}

interface CommonProps {
  id: string
  label: string
  value: string
  onChange: (value: string) => void
  error?: string | undefined
  help?: ReactNode
  isRequired?: boolean
  isDisabled?: boolean
}

const described = ({ id, error, help }: Pick<CommonProps, 'id' | 'error' | 'help'>) =>
  error === undefined && help === undefined ? {} : { 'aria-describedby': `${id}-message` }

interface TextFieldProps extends CommonProps {
  type?: 'text' | 'password' | 'number'
  autoComplete?: string
  min?: number
  isMonospace?: boolean
}

export function TextField({ label, onChange, error, help, isRequired, isMonospace, ...rest }: TextFieldProps) {
  return (
    <FormGroup label={label} fieldId={rest.id} isRequired={isRequired}>
      <TextInput
        {...rest}
        {...described({ id: rest.id, error, help })}
        isRequired={isRequired}
        validated={error === undefined ? 'default' : 'error'}
        onChange={(_event, value) => onChange(value)}
        className={isMonospace === true ? 'kn-mono' : ''}
      />
      <FieldMessage id={rest.id} error={error} help={help} />
    </FormGroup>
  )
}

export function TextAreaField({ label, onChange, error, help, isRequired, rows = 4, ...rest }: CommonProps & { rows?: number }) {
  return (
    <FormGroup label={label} fieldId={rest.id} isRequired={isRequired}>
      <TextArea
        {...rest}
        {...described({ id: rest.id, error, help })}
        rows={rows}
        resizeOrientation="vertical"
        isRequired={isRequired}
        validated={error === undefined ? 'default' : 'error'}
        onChange={(_event, value) => onChange(value)}
        className="kn-mono"
        spellCheck={false}
      />
      <FieldMessage id={rest.id} error={error} help={help} />
    </FormGroup>
  )
}

interface SelectFieldProps extends CommonProps {
  options: readonly { value: string; label: string }[]
}

export function SelectField({ label, onChange, error, help, isRequired, options, ...rest }: SelectFieldProps) {
  return (
    <FormGroup label={label} fieldId={rest.id} isRequired={isRequired}>
      <FormSelect
        {...rest}
        {...described({ id: rest.id, error, help })}
        validated={error === undefined ? 'default' : 'error'}
        onChange={(_event, value) => onChange(value)}
      >
        {options.map((option) => (
          <FormSelectOption key={option.value} value={option.value} label={option.label} />
        ))}
      </FormSelect>
      <FieldMessage id={rest.id} error={error} help={help} />
    </FormGroup>
  )
}
