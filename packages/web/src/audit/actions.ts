/** Actions that can be looked for: root fields of mutations, as the audit log names them. */

/** Those that people ask about; an action that stands on the page can be looked for as well. */
export const offeredActions: readonly string[] = [
  'addFlavorAccess',
  'addImageMember',
  'assignRole',
  'bulkServerAction',
  'cancelOperation',
  'changeOwnPassword',
  'createApplicationCredential',
  'createConsole',
  'createFlavor',
  'createImage',
  'createKeypair',
  'createProject',
  'createServer',
  'createUser',
  'deleteApplicationCredential',
  'deleteFlavor',
  'deleteImage',
  'deleteKeypair',
  'deleteProject',
  'deleteServer',
  'deleteUser',
  'importKeypair',
  'lockServer',
  'login',
  'logout',
  'pauseServer',
  'rebootServer',
  'resetServerState',
  'resumeServer',
  'revokeRole',
  'startServer',
  'stopServer',
  'suspendServer',
  'unlockServer',
  'unpauseServer',
  'updateFlavor',
  'updateImage',
  'updateProject',
  'updateQuotaSet',
  'updateServer',
  'updateUser',
]

/** createServer → Create server. */
export function actionWords(field: string): string {
  const spaced = field.replaceAll(/([a-z\d])([A-Z])/g, '$1 $2').toLowerCase()
  return spaced.charAt(0).toUpperCase() + spaced.slice(1)
}
