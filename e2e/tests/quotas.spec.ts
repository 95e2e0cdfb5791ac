/** Quotas in a real browser: what the project has left, and administrators who change it. */
import { expect, type Page, test } from '@playwright/test'
import { TestCloud } from './cloud.js'
import { expectAccessible, heading, launch, openDialog, serverStatus, signIn, uploadImage, watchComplaints } from './dashboard.js'

const field = (page: Page, label: string) => page.getByRole('spinbutton', { name: label, exact: true })
const bar = (page: Page, name: string) => page.getByRole('progressbar', { name: `${name} in use` })
const navigation = (page: Page) => page.getByRole('navigation', { name: 'Main' })

test.describe('quotas', () => {
  test.describe.configure({ mode: 'serial' })
  let cloud: TestCloud
  let page: Page
  let complaints: string[]

  test.beforeAll(async ({ browser }) => {
    cloud = await TestCloud.start()
    page = await (await browser.newContext()).newPage()
    complaints = watchComplaints(page)
    await signIn(page, cloud)
  })
  test.afterAll(async () => {
    await page?.context().close()
    await cloud?.purge()
  })

  const openQuotas = async (): Promise<void> => {
    await navigation(page).getByRole('link', { name: 'Quotas', exact: true }).click()
    await expect(heading(page, 'Quotas')).toBeVisible()
  }
  const openProject = async (): Promise<void> => {
    await navigation(page).getByRole('link', { name: 'Project quotas', exact: true }).click()
    await expect(heading(page, 'Project quotas')).toBeVisible()
    await page.getByRole('link', { name: 'admin', exact: true }).click()
    await expect(heading(page, 'Quotas of admin')).toBeVisible()
  }

  test('a project without limits shows what is in use, in words', async () => {
    await uploadImage(page, 'image')
    await launch(page, { name: 'web', image: 'image', flavor: 'm1.tiny' })
    await expect(serverStatus(page, 'Active')).toBeVisible()
    await openQuotas()
    const whole = page.getByRole('region', { name: 'The whole project' })
    await expect(whole.getByText('1 in use, unlimited')).toHaveCount(2)
    await expect(whole.getByText('512 MiB in use, unlimited')).toBeVisible()
    await expect(page.getByRole('region', { name: 'Each server and user' }).getByText('100', { exact: true })).toBeVisible()
    await expect(page.getByRole('region', { name: 'The last four weeks' }).getByText('Server hours')).toBeVisible()
    await expectAccessible(page)
  })

  test('an administrator chooses a project by its name', async () => {
    await navigation(page).getByRole('link', { name: 'Project quotas', exact: true }).click()
    await expect(heading(page, 'Project quotas')).toBeVisible()
    await expectAccessible(page)
    await page.getByLabel('Search projects by name').fill('nothing like it')
    await expect(page.getByText('No projects match')).toBeVisible()
    await page.getByRole('button', { name: 'Clear filters' }).click()
    await page.getByRole('link', { name: 'admin', exact: true }).click()
    await expect(heading(page, 'Quotas of admin')).toBeVisible()
    await expectAccessible(page)
  })

  test('what cannot be a limit is told beside its field, and keeps what was typed', async () => {
    const servers = field(page, 'Servers')
    const vcpus = field(page, 'vCPUs')
    const save = page.getByRole('button', { name: 'Save', exact: true })
    await expect(save).toBeDisabled()
    await servers.fill('-2')
    await save.click()
    await expect(servers).toBeFocused()
    await expect(servers).toHaveAttribute('aria-invalid', 'true')
    await expect(page.getByText('The least is −1, which is unlimited.')).toBeVisible()
    // Refused by the cloud: one server runs.
    await servers.fill('5')
    await vcpus.fill('0')
    await save.click()
    await expect(vcpus).toBeFocused()
    await expect(vcpus).toHaveAccessibleDescription(/The limit of CORES must be at least 1/)
    await expect(servers).toHaveValue('5')
    await expectAccessible(page)
    await page.getByLabel('Also below what is in use').check()
    await vcpus.fill('1')
    await save.click()
    await expect(page.getByText('Quotas of admin saved.')).toBeVisible()
    await expect(page.getByText('1 of 5, 4 left')).toBeVisible()
    await expect(page.getByText('1 of 1, none left')).toBeVisible()
    await expect(page.getByText('Own limit')).toHaveCount(3)
  })

  test('the project sees the limit, and a launch above it is refused with the reason', async () => {
    await openQuotas()
    await expect(bar(page, 'vCPUs')).toHaveAttribute('aria-valuetext', '1 of 1, none left')
    await expectAccessible(page)
    await launch(page, { name: 'too-much', image: 'image', flavor: 'm1.tiny' })
    await expect(page.getByText('Quota exceeded for cores: Requested 1, but already used 1 of 1 cores')).toBeVisible()
  })

  test('a change made meanwhile is not overwritten', async ({ browser }) => {
    await openProject()
    const other = await (await browser.newContext()).newPage()
    await signIn(other, cloud, new URL(page.url()).pathname)
    await expect(heading(other, 'Quotas of admin')).toBeVisible()
    await expect(field(other, 'Servers')).toHaveValue('5')
    await field(other, 'Servers').fill('7')
    await field(page, 'Servers').fill('6')
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await expect(page.getByText('1 of 6, 5 left')).toBeVisible()
    await other.getByRole('button', { name: 'Save', exact: true }).click()
    await expect(other.getByText('The object was changed meanwhile.')).toBeVisible()
    await expect(other.getByText('1 of 6, 5 left')).toBeVisible()
    await expect(field(other, 'Servers')).toHaveValue('7')
    await other.getByRole('button', { name: 'Save', exact: true }).click()
    await expect(other.getByText('1 of 7, 6 left')).toBeVisible()
    await other.context().close()
    await page.reload()
  })

  test('a reset gives the defaults back, and the defaults can be changed', async () => {
    await expect(page.getByText('1 of 7, 6 left')).toBeVisible()
    await page.getByRole('button', { name: 'Reset to defaults' }).click()
    const dialog = await openDialog(page)
    await expectAccessible(page)
    await dialog.getByRole('button', { name: 'Reset' }).click()
    await expect(dialog).toBeHidden()
    await expect(page.getByText('1 of 10, 9 left')).toBeVisible()
    await expect(page.getByRole('button', { name: 'Reset to defaults' })).toBeDisabled()
    await page.getByRole('link', { name: 'All projects' }).click()
    await page.getByRole('link', { name: 'Default quotas' }).click()
    await expect(heading(page, 'Default quotas')).toBeVisible()
    await expectAccessible(page)
    await field(page, 'Servers').fill('12')
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await expect(page.getByText('Default quotas saved.')).toBeVisible()
    await openQuotas()
    await expect(bar(page, 'Servers')).toHaveAttribute('aria-valuetext', '1 of 12, 11 left')
  })

  test('a member sees what the project has left, and changes nothing', async ({ browser, request }) => {
    const ask = async (query: string, variables: object, token?: string): Promise<Record<string, Record<string, { id: string }>>> => {
      const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` }
      const answer = (await (await request.post(`${cloud.url}/graphql`, { data: { query, variables }, headers })).json()) as {
        data: Record<string, Record<string, { id: string }>>
      }
      return answer.data
    }
    const password = 'a password of a member'
    const { login } = await ask(
      'mutation ($p: String!) { login(input: { username: "admin", password: $p }) { session { id: accessToken } } }',
      {
        p: cloud.password,
      },
    )
    const token = login?.session?.id
    const { createProject } = await ask('mutation { createProject(input: { name: "team" }) { project { id } } }', {}, token)
    const projectId = createProject?.project?.id
    const { createUser } = await ask(
      'mutation ($project: ID!, $p: String!) { createUser(input: { name: "mia", password: $p, defaultProjectId: $project }) { user { id } } }',
      { project: projectId, p: password },
      token,
    )
    const grant = { userId: createUser?.user?.id, projectId, roleId: 'member' }
    await ask(
      'mutation ($input: AssignRoleInput!) { assignRole(input: $input) { roleAssignment { role { id } } } }',
      { input: grant },
      token,
    )
    const other = await (await browser.newContext()).newPage()
    await other.goto(`${cloud.url}/quotas`)
    await other.getByLabel('User name').fill('mia')
    await other.getByLabel('Password').fill(password)
    await other.getByRole('button', { name: 'Sign in' }).click()
    await expect(heading(other, 'Quotas')).toBeVisible()
    await expect(bar(other, 'Servers')).toHaveAttribute('aria-valuetext', '0 of 12, 12 left')
    await expect(bar(other, 'Memory')).toHaveAttribute('aria-valuetext', '0 B of 50 GiB, 50 GiB left')
    await expect(other.getByRole('link', { name: 'Change the limits' })).toBeHidden()
    await expect(navigation(other).getByRole('link', { name: 'Project quotas' })).toBeHidden()
    for (const path of ['', '/defaults', `/${projectId}`]) {
      await other.goto(`${cloud.url}/admin/quotas${path}`)
      await expect(other.getByText('You may not see this page')).toBeVisible()
    }
    await expectAccessible(other)
    await other.context().close()
  })

  test('nothing failed on the way', () => {
    expect(complaints).toEqual([])
  })
})
