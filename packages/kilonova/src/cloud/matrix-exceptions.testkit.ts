/** What the tenancy matrix does not judge, each with its reason. The test asserts how many there are: the list may only shrink. */
export const exceptions: Readonly<Record<string, string>> = {
  'Mutation.login': 'It is about the password, not about who asks; sessions.test.ts tries it.',
  'Mutation.login as nobody': 'Signing in is for those who are not signed in.',
  'Mutation.refreshSession': 'It is about the refresh token, not about who asks; sessions.test.ts tries it.',
  'Mutation.logout': 'It would end the session the matrix works with; sessions.test.ts tries it.',
  'Mutation.changeOwnPassword': 'It would end the session the matrix works with; rights.test.ts tries it.',
  'Query.errorCodes as nobody': 'The vocabulary of errors is public, like the schema.',
  'Query.systemInfo as nobody': 'What a client must know before it signs in: versions and capabilities.',
  'Mutation.answerImageMembership as admin': 'The answer is that of the project the image was offered to, and of nobody else.',
  'id importKeypair: input.userId':
    'Acting for another user is a right one has or not, whether or not there is that user: FORBIDDEN for any id.',
  'id createKeypair: input.userId':
    'Acting for another user is a right one has or not, whether or not there is that user: FORBIDDEN for any id.',
  'id deleteKeypair: input.userId':
    'Acting for another user is a right one has or not, whether or not there is that user: FORBIDDEN for any id.',
  'id keypair: userId': 'Acting for another user is a right one has or not, whether or not there is that user: FORBIDDEN for any id.',
  'id keypairs: filter.userId':
    'Acting for another user is a right one has or not, whether or not there is that user: FORBIDDEN for any id.',
  'id limits: projectId':
    'Asking about other projects is a right one has or not, whether or not there is that project: FORBIDDEN for any id.',
  'id quotaSet: projectId':
    'Asking about other projects is a right one has or not, whether or not there is that project: FORBIDDEN for any id.',
  'id projectUsage: projectId':
    'Asking about other projects is a right one has or not, whether or not there is that project: FORBIDDEN for any id.',
  'Query.quotaSet as stranger':
    'Asking about other projects is a right one has or not, whether or not there is that project: FORBIDDEN for any id.',
  'Query.projectUsage as stranger':
    'Asking about other projects is a right one has or not, whether or not there is that project: FORBIDDEN for any id.',
  'type ErrorDetail': 'It stands for the error of an upload with wrong bytes, which the matrix does not send; it leads to no other object.',
  'subscription serverChanged: projectId':
    'Asking about other projects is a right one has or not, whether or not there is that project: FORBIDDEN for any id.',
  'own words auditLog: filter.targetId': 'The log tells members of their own attempts, and so of the ids that they named in them.',
  'type UsageAudit': 'The audit of usage runs once a month; a new cloud has none yet, and administrators alone may see it.',
  'type UsageAuditHost': 'The audit of usage runs once a month; a new cloud has none yet, and administrators alone may see it.',
}
