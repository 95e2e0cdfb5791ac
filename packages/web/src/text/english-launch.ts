/** English of the launch page. */

export const launch = {
  title: 'Launch server',
}
