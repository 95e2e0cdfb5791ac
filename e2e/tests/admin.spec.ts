/** What administrators do, and everybody with their own account: users, projects, credentials, the audit log, all operations. */
import { expect, type Page, test } from '@playwright/test'
import { Api } from './api.js'
import { TestCloud } from './cloud.js'
import {
  act,
  confirmDelete,
  expectAccessible,
  heading,
  launch,
  openDialog,
  row,
  signIn,
  uploadImage,
  watchComplaints,
} from './dashboard.js'

const password = 'the first password of mia'
const resetPassword = 'the second password of mia'
const ownPassword = 'the third password of mia'
const navigation = (page: Page) => page.getByRole('navigation', { name: 'Main' })

test.describe('administration', () => {
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

  const open = async (name: string): Promise<void> => {
    await navigation(page).getByRole('link', { name, exact: true }).click()
    await expect(heading(page, name)).toBeVisible()
  }
  const submit = async (button: string): Promise<void> => {
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('button', { name: button, exact: true }).click()
    await expect(dialog).toBeHidden()
  }
  const giveRole = async (target: string, name: string, role: string): Promise<void> => {
    await page.getByRole('combobox', { name: target }).fill(name)
    await page.getByRole('combobox', { name: 'Role' }).selectOption(role)
    await page.getByRole('button', { name: 'Add role' }).click()
  }

  test('a project is made, changed and given quotas by a link', async () => {
    await open('Projects')
    await expectAccessible(page)
    await page.getByRole('button', { name: 'Create project' }).click()
    const dialog = await openDialog(page)
    await dialog.getByRole('button', { name: 'Create project' }).click()
    await expect(dialog.getByLabel('Name')).toBeFocused()
    await expect(dialog.getByText('Enter a name.')).toBeVisible()
    await dialog.getByLabel('Name').fill('admin')
    await dialog.getByRole('button', { name: 'Create project' }).click()
    await expect(dialog.getByText('A project named admin exists.')).toBeVisible()
    await expectAccessible(page)
    await dialog.getByLabel('Name').fill('team')
    await dialog.getByLabel('Tags').fill('blue, green')
    await submit('Create project')
    await expect(heading(page, 'team')).toBeVisible()
    await expect(page.getByText('No members yet')).toBeVisible()
    await act(page, 'team', 'Edit')
    await page.getByRole('dialog').getByLabel('Description').fill('They build things.')
    await submit('Save')
    await expect(page.getByText('They build things.')).toBeVisible()
    await expect(page.getByText('blue, green')).toBeVisible()
    await page.getByRole('link', { name: 'Quotas', exact: true }).last().click()
    await expect(heading(page, 'Quotas of team')).toBeVisible()
  })

  test('a user is made and given a role by the name of the project', async () => {
    await open('Users')
    await expectAccessible(page)
    await page.getByRole('button', { name: 'Create user' }).click()
    const dialog = await openDialog(page)
    await dialog.getByLabel('User name').fill('mia')
    await dialog.getByLabel('Password', { exact: true }).fill('short')
    await dialog.getByRole('button', { name: 'Create user' }).click()
    await expect(dialog.getByLabel('Password', { exact: true })).toBeFocused()
    await dialog.getByLabel('Password', { exact: true }).fill(password)
    await dialog.getByRole('button', { name: 'Create user' }).click()
    await expect(dialog.getByText('The two passwords differ.')).toBeVisible()
    await dialog.getByLabel('Repeat the password').fill(password)
    await dialog.getByLabel('E-mail').fill('no address')
    await dialog.getByRole('button', { name: 'Create user' }).click()
    await expect(dialog.getByLabel('E-mail')).toBeFocused()
    await expect(dialog.getByText('That is not an e-mail address.')).toBeVisible()
    await expectAccessible(page)
    await dialog.getByLabel('E-mail').fill('mia@example.org')
    await submit('Create user')
    await expect(heading(page, 'mia')).toBeVisible()
    await expect(page.getByText('No roles yet')).toBeVisible()
    await giveRole('Project', 'nowhere', 'member')
    await expect(page.getByText('There is no project named nowhere.')).toBeVisible()
    await giveRole('Project', 'team', 'member')
    await expect(row(page, 'team')).toContainText('member')
    await giveRole('Project', 'team', 'reader')
    await expect(row(page, 'reader')).toBeVisible()
    await expectAccessible(page)
    await page.getByRole('button', { name: 'Remove reader of team' }).click()
    await (await openDialog(page)).getByRole('button', { name: 'Remove' }).click()
    await expect(row(page, 'reader')).toHaveCount(0)
    await act(page, 'mia', 'Edit')
    await page.getByRole('dialog').getByLabel('Default project').selectOption({ label: 'team' })
    await submit('Save')
    // The same from the other side.
    await row(page, 'team').getByRole('link', { name: 'team' }).click()
    await expect(heading(page, 'team')).toBeVisible()
    await expect(row(page, 'mia')).toContainText('member')
  })

  test('what an administrator must not do to themselves is in the menu, disabled, with the reason', async () => {
    await open('Users')
    await page.getByLabel('Search users by name or e-mail').fill('adm')
    await expect(row(page, 'mia')).toHaveCount(0)
    await expect(page).toHaveURL(/search=adm/)
    await page.getByRole('button', { name: 'Actions for admin' }).click()
    const item = page.getByRole('menuitem', { name: 'Delete' })
    await expect(item).toHaveAttribute('aria-disabled', 'true')
    await expect(item).toContainText('This is you.')
    await page.keyboard.press('Escape')
    await page.getByLabel('Search users by name or e-mail').fill('nobody at all')
    await expect(page.getByText('No users match')).toBeVisible()
    await page.getByRole('button', { name: 'Clear filters' }).click()
    await expect(row(page, 'mia')).toBeVisible()
  })

  test('a disabled user cannot sign in; an enabled one can, with the password that was reset', async ({ browser }) => {
    await act(page, 'mia', 'Disable')
    await (await openDialog(page)).getByRole('button', { name: 'Disable' }).click()
    await expect(row(page, 'mia').getByText('Disabled')).toBeVisible()
    await page.getByRole('combobox', { name: 'State' }).selectOption('Disabled')
    await expect(row(page, 'admin')).toHaveCount(0)
    const other = await (await browser.newContext()).newPage()
    await other.goto(cloud.url)
    await other.getByLabel('User name').fill('mia')
    await other.getByLabel('Password').fill(password)
    await other.getByRole('button', { name: 'Sign in' }).click()
    await expect(
      other
        .getByRole('alert')
        .or(other.getByText(/wrong|disabled/i))
        .first(),
    ).toBeVisible()
    await act(page, 'mia', 'Enable')
    await expect(page.getByText('No users match')).toBeVisible()
    await page.getByRole('button', { name: 'Clear filters' }).click()
    await act(page, 'mia', 'Reset password')
    const dialog = await openDialog(page)
    await dialog.getByLabel(/^Password/).fill(resetPassword)
    await dialog.getByLabel('Repeat the password').fill(resetPassword)
    await submit('Reset password')
    await signIn(other, cloud, '/account', { username: 'mia', password: resetPassword })
    await expect(heading(other, 'Account')).toBeVisible()
    await other.context().close()
  })

  test('one’s own password is changed by keyboard alone, and the session goes on', async ({ browser }) => {
    const own = await (await browser.newContext()).newPage()
    const told = watchComplaints(own)
    await signIn(own, cloud, '/', { username: 'mia', password: resetPassword })
    await expect(navigation(own).getByRole('link', { name: 'Users' })).toHaveCount(0)
    await own.getByRole('button', { name: 'User menu of mia' }).focus()
    await own.keyboard.press('Enter')
    await expect(own.getByRole('menuitem', { name: 'As the system' })).toBeVisible()
    for (let pressed = 0; pressed < 4; pressed++) await own.keyboard.press('ArrowDown')
    await expect(own.getByRole('menuitem', { name: 'Account' })).toBeFocused()
    await own.keyboard.press('Enter')
    await expect(heading(own, 'Account')).toBeFocused()
    const type = async (label: string, typed: string): Promise<void> => {
      for (let pressed = 0; pressed < 12; pressed++) {
        if (await own.getByLabel(new RegExp(`^${label}`)).evaluate((field) => field === document.activeElement)) break
        await own.keyboard.press('Tab')
      }
      await expect(own.getByLabel(new RegExp(`^${label}`))).toBeFocused()
      await own.keyboard.press('Control+a')
      await own.keyboard.type(typed)
    }
    await type('Current password', 'not the password')
    await type('New password', ownPassword)
    await type('Repeat the new password', ownPassword)
    await own.keyboard.press('Enter')
    await expect(own.getByText('The current password is wrong.')).toBeVisible()
    await expect(own.getByLabel('Current password')).toBeFocused()
    await expectAccessible(own)
    await own.keyboard.press('Control+a')
    await own.keyboard.type(resetPassword)
    await own.keyboard.press('Enter')
    await expect(own.getByText('Password changed.')).toBeVisible()
    // The login that took its place works, now and after a reload.
    await navigation(own).getByRole('link', { name: 'Images' }).click()
    await expect(own.getByText('No images yet')).toBeVisible()
    await own.reload()
    await expect(heading(own, 'Images')).toBeVisible()
    await expect(own.getByRole('dialog')).toHaveCount(0)
    expect(told).toEqual([])
    await own.context().close()
  })

  test('an application credential shows its secret once, and works with the roles chosen for it', async ({ request }) => {
    await page.getByRole('button', { name: 'User menu of admin' }).click()
    await page.getByRole('menuitem', { name: 'Account' }).click()
    await expect(heading(page, 'Account')).toBeVisible()
    await expect(page.getByText('No application credentials yet')).toBeVisible()
    await page.getByRole('button', { name: 'Create application credential' }).click()
    const dialog = await openDialog(page)
    await dialog.getByLabel('Name').fill('backup')
    for (const box of await dialog.getByRole('checkbox').all()) await box.uncheck()
    await dialog.getByRole('button', { name: 'Create application credential' }).click()
    await expect(dialog.getByText('Choose at least one role.')).toBeVisible()
    await dialog.getByRole('checkbox', { name: 'reader' }).check()
    await dialog.getByLabel('Expires').fill('2020-01-01T00:00')
    await dialog.getByRole('button', { name: 'Create application credential' }).click()
    await expect(dialog.getByLabel('Expires')).toBeFocused()
    await dialog.getByLabel('Expires').fill('2199-01-01T00:00')
    await dialog.getByRole('button', { name: 'Create application credential' }).click()
    const shown = page.getByRole('dialog', { name: 'Application credential backup created' })
    await expect(shown).toBeVisible()
    await expectAccessible(page)
    const id = await shown.getByRole('textbox', { name: 'ID' }).inputValue()
    const secret = await shown.getByRole('textbox', { name: 'Secret' }).inputValue()
    expect(secret.length).toBeGreaterThan(20)
    const ask = (query: string) =>
      request.post(`${cloud.url}/graphql`, { data: { query }, headers: { authorization: `Bearer ${id}.${secret}` } })
    expect(await (await ask('{ viewer { authMethod roles { id } } }')).json()).toEqual({
      data: { viewer: { authMethod: 'APPLICATION_CREDENTIAL', roles: [{ id: 'reader' }] } },
    })
    await shown.getByRole('button', { name: 'I have copied it' }).click()
    await expect(shown).toBeHidden()
    await expect(row(page, 'backup')).toContainText('reader')
    await expect(row(page, 'backup')).toContainText('2199')
    expect(await page.content()).not.toContain(secret)
    await expectAccessible(page)
    await act(page, 'backup', 'Delete')
    await confirmDelete(page)
    await expect(page.getByText('No application credentials yet')).toBeVisible()
  })

  test('the activity shows several servers as one operation with parts, and stops what can still stop', async () => {
    await uploadImage(page, 'disk')
    await launch(page, { name: 'pair', image: 'disk', flavor: 'm1.nano', count: 2 })
    await expect(heading(page, 'Launch server')).toBeHidden()
    await open('Activity')
    const parent = page.getByRole('article', { name: 'Create', exact: true })
    await parent.getByRole('button', { name: 'Parts of Create' }).click()
    await expect(parent.getByRole('article', { name: 'Create pair-1' }).getByText('Succeeded', { exact: true })).toBeVisible()
    await expect(parent.getByRole('article', { name: 'Create pair-2' }).getByText('Succeeded', { exact: true })).toBeVisible()
    await expectAccessible(page)
    await parent.getByRole('button', { name: 'Actions for Create pair-1' }).click()
    await expect(page.getByRole('menuitem', { name: 'Cancel' })).toHaveAttribute('aria-disabled', 'true')
    await expect(page.getByRole('menuitem', { name: 'Cancel' })).toContainText('It is over.')
    await page.getByRole('menuitem', { name: 'Only this server' }).click()
    await expect(page).toHaveURL(/server=/)
    await expect(page.getByRole('article')).toHaveCount(1)
    await page.getByRole('combobox', { name: 'Kind' }).selectOption('Delete')
    await expect(page.getByText('No operations match')).toBeVisible()
    await page.getByRole('button', { name: 'Clear filters' }).last().click()
    await expect(page).toHaveURL(/\/activity$/)

    // Its host takes long; it shows up by itself.
    await page.getByRole('combobox', { name: 'State' }).selectOption('Running')
    await expect(page.getByText('No operations match')).toBeVisible()
    const admin = await Api.signIn(cloud)
    const { images, flavors } = await admin.run<Record<'images' | 'flavors', { nodes: { id: string; name: string }[] }>>(
      '{ images { nodes { id name } } flavors { nodes { id name } } }',
    )
    await admin.run('mutation ($input: CreateServerInput!) { createServer(input: $input) { operation { id } } }', {
      name: 'slow-disk-slow-spawn',
      imageId: images.nodes[0]?.id,
      flavorId: flavors.nodes.find(({ name }) => name === 'm1.nano')?.id,
      networks: { mode: 'NONE' },
    })
    const slow = page.getByRole('article', { name: 'Create slow-disk-slow-spawn' })
    await slow.getByRole('button', { name: 'Actions for Create slow-disk-slow-spawn' }).click()
    await page.getByRole('menuitem', { name: 'Cancel' }).click()
    await (await openDialog(page)).getByRole('button', { name: 'Cancel the operation' }).click()
    await expect(page.getByText('No operations match')).toBeVisible()
    await page.getByRole('combobox', { name: 'State' }).selectOption('Cancelled')
    await expect(slow.getByText('Cancelled', { exact: true }).first()).toBeVisible()
    await expect(page.getByRole('combobox', { name: 'State' })).toHaveValue('cancelled')
    await page.goBack()
    await expect(page.getByRole('combobox', { name: 'State' })).toHaveValue('running')
  })

  test('an administrator sees the operations of all projects, live', async () => {
    const mia = await Api.signIn(cloud, { username: 'mia', password: ownPassword })
    const { createImage } = await mia.run<{ createImage: { image: { id: string } } }>(
      'mutation ($input: CreateImageInput!) { createImage(input: $input) { image { id } } }',
      { name: 'of the team', diskFormat: 'RAW', containerFormat: 'BARE' },
    )
    expect(createImage.image.id).not.toBe('')
    await open('Activity')
    // The choice stands in the address, which the box follows.
    await page.getByLabel('All projects').click()
    await expect(page.getByLabel('All projects')).toBeChecked()
    await expect(page.getByText('in project admin').first()).toBeVisible()
    await expect(page).toHaveURL(/scope=all/)
    await expectAccessible(page)
  })

  test('the audit log says who did what, and is filtered by user, action, outcome, time and object', async () => {
    await open('Audit log')
    await expect(page.getByRole('row').nth(1)).toBeVisible()
    await expectAccessible(page)
    await page.getByRole('combobox', { name: 'Who' }).selectOption('mia')
    await page.getByRole('combobox', { name: 'Action' }).selectOption('Change own password')
    await expect(row(page, 'Change own password')).toHaveCount(2)
    await page.getByRole('combobox', { name: 'Outcome' }).selectOption('Done')
    await expect(row(page, 'Change own password')).toHaveCount(1)
    await page.getByRole('button', { name: 'Details of Change own password' }).click()
    await expect(page.getByText('[secret]').first()).toBeVisible()
    await expect(page.getByText(ownPassword)).toHaveCount(0)
    await expectAccessible(page)
    await page.getByLabel('To', { exact: true }).fill('2020-01-01T00:00')
    await expect(page.getByText('No entries match')).toBeVisible()
    await page.getByRole('button', { name: 'Clear filters' }).last().click()
    await page.getByRole('combobox', { name: 'Action' }).selectOption('Create project')
    await page.getByRole('combobox', { name: 'Outcome' }).selectOption('Done')
    await expect(row(page, 'Create project')).toHaveCount(1)
    await page.getByRole('button', { name: 'Details of Create project' }).click()
    await page
      .getByRole('region', { name: 'Entries' })
      .getByRole('listitem')
      .getByRole('button', { name: /^Only / })
      .first()
      .click()
    await page.getByRole('combobox', { name: 'Action' }).selectOption('All actions')
    await expect(row(page, 'Update project')).toHaveCount(1)
    await page.reload()
    await expect(row(page, 'Update project')).toHaveCount(1)
  })

  test('a project with members goes away, but not the one in use', async () => {
    await open('Projects')
    await page.getByRole('button', { name: 'Actions for admin' }).click()
    await expect(page.getByRole('menuitem', { name: 'Delete' })).toContainText('You are working in it.')
    await page.keyboard.press('Escape')
    await act(page, 'team', 'Delete')
    const dialog = await openDialog(page)
    await dialog.getByRole('button', { name: 'Delete' }).click()
    await expect(dialog.getByText('The project still owns images.')).toBeVisible()
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    await act(page, 'team', 'Disable')
    await (await openDialog(page)).getByRole('button', { name: 'Disable' }).click()
    await expect(row(page, 'team').getByText('Disabled')).toBeVisible()
    await open('Users')
    await act(page, 'mia', 'Delete')
    await confirmDelete(page)
    await expect(row(page, 'mia')).toHaveCount(0)
  })

  test('nothing failed on the way', () => {
    expect(complaints).toEqual([])
  })
})
