import { Alert, AlertActionCloseButton, AlertGroup } from '@patternfly/react-core'
import { useSyncExternalStore } from 'react'
import { dismissToast, toastStore } from '../lib/toasts.js'

export function Toaster() {
  const toasts = useSyncExternalStore(toastStore.subscribe, toastStore.snapshot)
  return (
    <AlertGroup isToast isLiveRegion aria-label="Notices">
      {toasts.map((toast) => (
        <Alert
          component="p"
          key={toast.id}
          variant={toast.variant}
          title={toast.title}
          timeout={toast.variant === 'danger' ? false : 6000}
          onTimeout={() => dismissToast(toast.id)}
          actionClose={<AlertActionCloseButton title={toast.title} onClose={() => dismissToast(toast.id)} />}
        >
          {toast.text}
        </Alert>
      ))}
    </AlertGroup>
  )
}
