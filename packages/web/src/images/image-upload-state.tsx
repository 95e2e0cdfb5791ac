/** How far an upload is, or why its data was refused. */
import { Progress, ProgressMeasureLocation } from '@patternfly/react-core'
import type { ImageFieldsFragment } from '../generated/graphql.js'
import { text } from '../text/text.js'
import { imageName } from './image-name.js'

export function ImageUploadState({ image }: { image: ImageFieldsFragment }) {
  return (
    <>
      {image.status === 'UPLOADING' && image.upload?.progressPercent != null && (
        <Progress
          aria-label={text.images.uploadOf(imageName(image))}
          size="sm"
          value={image.upload.progressPercent}
          measureLocation={ProgressMeasureLocation.outside}
        />
      )}
      {image.status !== 'ACTIVE' && image.upload?.error != null && <div className="kn-small kn-break">{image.upload.error.message}</div>}
    </>
  )
}
