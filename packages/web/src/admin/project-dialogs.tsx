/** Makes and changes projects. */
import { useMutation } from '@apollo/client/react'
import { useState } from 'react'
import { TextField } from '../components/fields.js'
import { FormDialog } from '../components/form-dialog.js'
import type { ProjectFieldsFragment } from '../generated/graphql.js'
import { randomKey } from '../lib/keys.js'
import { showToast } from '../lib/toasts.js'
import { text } from '../text/text.js'
import { createProjectMutation, updateProjectMutation } from './identity.documents.js'

const words = text.identity.projects
const { columns } = text.identity
type Field = 'name' | 'description' | 'tags'
const fieldFor = (path: string): Field | null =>
  (['name', 'description', 'tags'] as const).find((field) => path === `input.${field}` || path.startsWith(`input.${field}.`)) ?? null

interface ProjectDialogProps {
  /** Null: a new one. */
  project: ProjectFieldsFragment | null
  onClose: () => void
  onSaved: (project: ProjectFieldsFragment) => unknown
}

export function ProjectDialog({ project, onClose, onSaved }: ProjectDialogProps) {
  const [create] = useMutation(createProjectMutation)
  const [update] = useMutation(updateProjectMutation)
  const [name, setName] = useState(project?.name ?? '')
  const [description, setDescription] = useState(project?.description ?? '')
  const [tags, setTags] = useState(project?.tags.join(', ') ?? '')
  // What is shown may be fetched again while somebody types; whoever has changed it meanwhile is not overwritten unseen.
  const [generation] = useState(project?.generation ?? null)
  const [createKey] = useState(randomKey)
  const save = async (): Promise<ProjectFieldsFragment | undefined> => {
    const input = {
      name: name.trim(),
      description: description === '' ? null : description,
      tags: tags
        .split(',')
        .map((tag) => tag.trim())
        .filter((tag) => tag !== ''),
    }
    if (project === null)
      return (await create({ variables: { input: { ...input, idempotencyKey: createKey } } })).data?.createProject.project
    const changed = { ...input, projectId: project.id, expectedGeneration: generation, idempotencyKey: randomKey() }
    return (await update({ variables: { input: changed } })).data?.updateProject.project
  }
  return (
    <FormDialog<Field>
      title={project === null ? words.create : words.edit(project.name)}
      submitLabel={project === null ? words.create : text.identity.save}
      cancelLabel={text.identity.cancel}
      check={(): Partial<Record<Field, string>> => (name.trim() === '' ? { name: text.identity.nameMissing } : {})}
      fieldFor={fieldFor}
      onSubmit={async () => {
        const saved = await save()
        if (saved === undefined) return
        showToast('success', project === null ? words.created(saved.name) : words.saved(saved.name))
        await onSaved(saved)
      }}
      onClose={onClose}
    >
      {(errors) => (
        <>
          <TextField
            id="project-name"
            label={columns.name}
            value={name}
            onChange={setName}
            isRequired
            autoComplete="off"
            error={errors.name}
            help={project === null ? words.createHint : undefined}
          />
          <TextField
            id="project-description"
            label={columns.description}
            value={description}
            onChange={setDescription}
            error={errors.description}
          />
          <TextField id="project-tags" label={columns.tags} value={tags} onChange={setTags} error={errors.tags} help={words.tagsHelp} />
        </>
      )}
    </FormDialog>
  )
}
