/** Flavors, images and key pairs in a real browser: who may use them, what they say, and keys that are shown once. */
import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { expect, type Page, test } from '@playwright/test'
import { Api } from './api.js'
import { TestCloud } from './cloud.js'
import {
  act,
  confirmDelete,
  expectAccessible,
  heading,
  openDialog,
  openPage,
  row,
  signIn,
  uploadImage,
  watchComplaints,
} from './dashboard.js'

const mia = { username: 'mia', password: 'the password of mia' }

/** Chooses from the menu of a page about one thing. */
async function actHere(page: Page, target: string, action: string): Promise<void> {
  await page.getByRole('button', { name: `Actions for ${target}`, exact: true }).click()
  await page.getByRole('menuitem', { name: action, exact: true }).click()
}

/** Files of a folder and those below. */
const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [`${entry.parentPath}/${entry.name}`] : [],
  )

test.describe('the catalog', () => {
  test.describe.configure({ mode: 'serial' })
  let cloud: TestCloud
  let page: Page
  let other: Page
  let api: Api
  let complaints: string[]

  test.beforeAll(async ({ browser }) => {
    cloud = await TestCloud.start()
    api = await Api.signIn(cloud)
    const lab = await api.createProject('lab')
    await api.createUser(mia, [{ projectId: lab, roleId: 'member' }])
    page = await (await browser.newContext({ reducedMotion: 'reduce' })).newPage()
    complaints = watchComplaints(page)
    await signIn(page, cloud)
    other = await (await browser.newContext()).newPage()
    await signIn(other, cloud, '/flavors', mia)
  })
  test.afterAll(async () => {
    await page?.context().close()
    await other?.context().close()
    await cloud?.purge()
  })

  test('extra specs: known keys are offered and explained, values are checked before they are sent', async () => {
    await openPage(page, 'Flavors')
    await page.getByRole('button', { name: 'Create flavor' }).click()
    const dialog = await openDialog(page)
    await dialog.getByLabel('Name').fill('secret one')
    await dialog.getByLabel('Public').uncheck()
    const key = dialog.getByLabel('Extra spec 1 key')
    const list = page.locator(`datalist[id="${await key.getAttribute('list')}"]`)
    await expect.poll(() => list.locator('option').count()).toBeGreaterThan(50)
    await key.fill('hw:numa_cpus.{num}')
    await dialog.getByRole('button', { name: 'Create', exact: true }).click()
    await expect(key).toBeFocused()
    await expect(key).toHaveAccessibleDescription(/in place of \{num\}/)
    await key.fill('hw:cpu_policy')
    await expect(key).toHaveAccessibleDescription(/in place of/)
    const value = dialog.getByLabel('Extra spec 1 value')
    await expect(page.locator(`datalist[id="${await value.getAttribute('list')}"] option`)).toHaveCount(3)
    await value.fill('sharde')
    await dialog.getByRole('button', { name: 'Create', exact: true }).click()
    await expect(value).toBeFocused()
    await expect(value).toHaveAccessibleDescription(/^The value must be one of shared, dedicated, mixed\./)
    await expectAccessible(page)
    await value.fill('dedicated')
    await dialog.getByRole('button', { name: 'Add extra spec' }).click()
    // In a namespace the cloud knows, with a key it does not: only the cloud can tell.
    await dialog.getByLabel('Extra spec 2 key').fill('hw:nonsense')
    await dialog.getByLabel('Extra spec 2 value').fill('1')
    await dialog.getByRole('button', { name: 'Create', exact: true }).click()
    await expect(dialog.getByLabel('Extra spec 2 key')).toHaveAccessibleDescription(/does not appear to be a valid extra spec/)
    await dialog.getByRole('button', { name: 'Remove extra spec 2' }).click()
    await dialog.getByRole('button', { name: 'Create', exact: true }).click()
    await expect(row(page, 'secret one').getByText('Private')).toBeVisible()
  })

  test('a private flavor is for the projects on its access list, which show it at once', async () => {
    await expect(row(other, 'm1.nano')).toBeVisible()
    await expect(row(other, 'secret one')).toHaveCount(0)
    await page.getByRole('link', { name: 'secret one' }).click()
    await expect(heading(page, 'secret one')).toBeVisible()
    const access = page.getByRole('region', { name: 'Projects that may use it' })
    await expect(access.getByText('No project may use it yet')).toBeVisible()
    await expect(page.getByRole('row', { name: 'hw:cpu_policy dedicated' })).toBeVisible()
    await access.getByRole('button', { name: 'Add project' }).click()
    const dialog = await openDialog(page)
    await dialog.getByLabel('Project').fill('nowhere')
    await dialog.getByRole('button', { name: 'Add project' }).click()
    await expect(dialog.getByLabel('Project')).toHaveAccessibleDescription(/nowhere could not be found/)
    await dialog.getByLabel('Project').fill('lab')
    await dialog.getByRole('button', { name: 'Add project' }).click()
    await expect(dialog).toBeHidden()
    await expect(access.getByRole('row', { name: /^lab/ })).toBeVisible()
    await expectAccessible(page)
    await openPage(other, 'Images')
    await openPage(other, 'Flavors')
    await expect(row(other, 'secret one')).toBeVisible()
  })

  test('a clone has size, extra specs and access list of the other; a description is saved', async () => {
    await actHere(page, 'secret one', 'Clone')
    const dialog = await openDialog(page)
    await expect(dialog.getByLabel('Extra spec 1 value')).toHaveValue('dedicated')
    await expect(dialog.getByLabel('For the same 1 project')).toBeChecked()
    await dialog.getByLabel('Memory (MiB)').fill('1024')
    await dialog.getByRole('button', { name: 'Create', exact: true }).click()
    await expect(heading(page, 'copy of secret one')).toBeVisible()
    await expect(page.getByRole('row', { name: 'hw:cpu_policy dedicated' })).toBeVisible()
    await expect(page.getByRole('row', { name: /^lab/ })).toBeVisible()
    await expect(page.getByText('1 GiB')).toBeVisible()
    await actHere(page, 'copy of secret one', 'Edit description')
    await (await openDialog(page)).getByLabel('Description').fill('For the lab.')
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
    await expect(page.getByRole('main').getByText('For the lab.')).toBeVisible()
    await page.getByRole('button', { name: 'Remove lab' }).click()
    const question = await openDialog(page)
    await question.getByRole('button', { name: 'Remove' }).click()
    await expect(page.getByText('No project may use it yet')).toBeVisible()
    await actHere(page, 'copy of secret one', 'Delete')
    await confirmDelete(page)
    await expect(heading(page, 'Flavors')).toBeVisible()
    await expect(row(page, 'copy of secret one')).toHaveCount(0)
  })

  test('who may change nothing sees the reasons, and no access list', async () => {
    await other.getByRole('link', { name: 'secret one' }).click()
    await expect(heading(other, 'secret one')).toBeVisible()
    await expect(other.getByRole('region', { name: 'Projects that may use it' })).toHaveCount(0)
    await other.getByRole('button', { name: 'Actions for secret one' }).click()
    await expect(other.getByRole('menuitem', { name: /^Clone/ })).toHaveAttribute('aria-disabled', 'true')
    await expect(other.getByRole('menuitem', { name: /^Clone/ })).toContainText('Your roles do not allow it.')
    await other.keyboard.press('Escape')
    await other.goto(`${cloud.url}/flavors/nothing`)
    await expect(heading(other, 'Flavor not found')).toBeVisible()
    await expectAccessible(other)
  })

  test('an image is edited: name, tags, least sizes, protection; properties are checked by their kinds', async () => {
    await uploadImage(page, 'tiny disk')
    await page.getByRole('link', { name: 'tiny disk' }).click()
    await expect(heading(page, 'tiny disk')).toBeVisible()
    await actHere(page, 'tiny disk', 'Edit')
    let dialog = await openDialog(page)
    await dialog.getByLabel('Name').fill('')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await expect(dialog.getByLabel('Name')).toBeFocused()
    await dialog.getByLabel('Name').fill('lab disk')
    await dialog.getByLabel('Least memory (MiB)').fill('64')
    await dialog.getByLabel('Tags').fill('linux, small')
    await dialog.getByLabel('Visibility').selectOption('SHARED')
    await dialog.getByLabel('Protected').check()
    await expectAccessible(page)
    await dialog.getByRole('button', { name: 'Save' }).click()
    await expect(heading(page, 'lab disk')).toBeVisible()
    await expect(page.getByText('small', { exact: true })).toBeVisible()
    await expect(page.getByText('64 MiB')).toBeVisible()
    await page.getByRole('button', { name: 'Actions for lab disk' }).click()
    await expect(page.getByRole('menuitem', { name: /^Delete/ })).toContainText('The image is protected.')
    await page.keyboard.press('Escape')
    await actHere(page, 'lab disk', 'Edit properties')
    dialog = await openDialog(page)
    await dialog.getByLabel('Property 1 key').fill('hw_disk_bus')
    await dialog.getByLabel('Property 1 value').fill('string')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await expect(dialog.getByLabel('Property 1 value')).toHaveAccessibleDescription(/must be one of .*virtio/)
    await dialog.getByLabel('Property 1 value').fill('virtio')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await expect(page.getByRole('row', { name: 'hw_disk_bus virtio' })).toBeVisible()
    await actHere(page, 'lab disk', 'Edit properties')
    await (await openDialog(page)).getByRole('button', { name: 'Remove property 1' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
    await expect(page.getByText('No properties.')).toBeVisible()
  })

  test('an image is shared: the other project answers, and is taken off again', async () => {
    const members = page.getByRole('region', { name: 'Shared with' })
    await members.getByRole('button', { name: 'Add project' }).click()
    const dialog = await openDialog(page)
    await dialog.getByLabel('Project').fill('lab')
    await dialog.getByRole('button', { name: 'Add project' }).click()
    await expect(members.getByRole('row', { name: /^lab.*Not answered/ })).toBeVisible()
    await openPage(other, 'Images')
    await expect(other.getByText('No images yet')).toBeVisible()
    await other.getByLabel('Which images').selectOption('Offered, not answered')
    await other.getByRole('link', { name: 'lab disk' }).click()
    await expect(heading(other, 'lab disk')).toBeVisible()
    await expect(other.getByRole('heading', { name: /Another project shares this image with yours/ })).toBeVisible()
    await expectAccessible(other)
    await other.getByRole('button', { name: 'Accept' }).click()
    await expect(other.getByText('You accepted it: it is in your lists.')).toBeVisible()
    await expect(members.getByRole('row', { name: /^lab.*Accepted/ })).toBeVisible()
    await openPage(other, 'Images')
    await expect(row(other, 'lab disk')).toBeVisible()
    await members.getByRole('button', { name: 'Remove lab' }).click()
    await (await openDialog(page)).getByRole('button', { name: 'Remove' }).click()
    await expect(members.getByText('No project yet.')).toBeVisible()
    await expect(row(other, 'lab disk')).toHaveCount(0)
  })

  test('an image is deactivated and activated again, and downloaded whole', async () => {
    await actHere(page, 'lab disk', 'Deactivate')
    await (await openDialog(page)).getByRole('button', { name: 'Deactivate' }).click()
    await expect(page.getByRole('status', { name: 'Image status' }).getByText('Deactivated')).toBeVisible()
    await actHere(page, 'lab disk', 'Reactivate')
    await expect(page.getByRole('status', { name: 'Image status' }).getByText('Active', { exact: true })).toBeVisible()
    const [download] = await Promise.all([page.waitForEvent('download'), actHere(page, 'lab disk', 'Download')])
    expect(readFileSync(await download.path()).equals(Buffer.alloc(65_536, 'kilonova'))).toBe(true)
  })

  test('an upload that is cancelled leaves nothing', async () => {
    await openPage(page, 'Images')
    const before = filesOf(cloud.folder)
      .filter((file) => file.includes('image'))
      .sort()
    const names = async (): Promise<string[]> => {
      const { images } = await api.run<{ images: { nodes: { name: string }[] } }>('{ images { nodes { name } } }')
      return images.nodes.map(({ name }) => name)
    }
    // The data never gets through: the transfer stays under way until it is cancelled.
    await page.route('**/images/uploads/**', () => {})
    await page.getByRole('button', { name: 'Create image' }).click()
    const dialog = await openDialog(page)
    await dialog
      .getByLabel('File')
      .setInputFiles({ name: 'half.raw', mimeType: 'application/octet-stream', buffer: Buffer.alloc(4096, 'x') })
    await dialog.getByRole('button', { name: 'Create and upload' }).click()
    await expect(dialog.getByText('Sending')).toBeVisible()
    await expect.poll(names).toContain('half')
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    await expect(row(page, 'half')).toHaveCount(0)
    await page.unrouteAll()
    expect(await names()).toEqual(['lab disk'])
    expect(
      filesOf(cloud.folder)
        .filter((file) => file.includes('image'))
        .sort(),
    ).toEqual(before)
  })

  test('an upload that stopped half-way is cancelled from the list', async () => {
    const made = await api.run<{ createImage: { image: { id: string } } }>(
      'mutation ($input: CreateImageInput!) { createImage(input: $input) { image { id } } }',
      { name: 'stuck', diskFormat: 'RAW', idempotencyKey: randomUUID() },
    )
    await api.run('mutation ($input: CreateImageUploadInput!) { createImageUpload(input: $input) { upload { id } } }', {
      imageId: made.createImage.image.id,
      sizeBytes: '4096',
      idempotencyKey: randomUUID(),
    })
    await page.reload()
    await act(page, 'stuck', 'Cancel upload')
    await (await openDialog(page)).getByRole('button', { name: 'Cancel upload' }).click()
    await expect(page.getByText('Upload cancelled.')).toBeVisible()
    await page.getByRole('button', { name: 'Actions for stuck' }).click()
    await expect(page.getByRole('menuitem', { name: /^Upload data/ })).not.toHaveAttribute('aria-disabled', 'true')
    await expect(page.getByRole('menuitem', { name: 'Cancel upload' })).toHaveCount(0)
    await page.keyboard.press('Escape')
    await act(page, 'stuck', 'Delete')
    await confirmDelete(page)
    await expect(row(page, 'stuck')).toHaveCount(0)
  })

  test('a key pair is made by keyboard alone; its private key is shown once, and not lost unasked', async () => {
    await openPage(page, 'Key pairs')
    await page.getByRole('button', { name: 'Create key pair' }).focus()
    await page.keyboard.press('Enter')
    const dialog = await openDialog(page)
    await dialog.getByLabel('Name').focus()
    await page.keyboard.type('no/slash')
    await page.keyboard.press('Enter')
    await expect(dialog.getByLabel('Name')).toHaveAttribute('aria-invalid', 'true')
    await page.keyboard.press('ControlOrMeta+A')
    await page.keyboard.type('walker')
    await page.keyboard.press('Enter')
    await expect(dialog.getByLabel('Private key')).toHaveValue(/^-----BEGIN RSA PRIVATE KEY-----/)
    await expectAccessible(page)
    await page.keyboard.press('Escape')
    await expect(dialog.getByText('Close without keeping the private key?')).toBeVisible()
    await dialog.getByRole('button', { name: 'Back to the key' }).press('Enter')
    const shown = await dialog.getByLabel('Private key').inputValue()
    const [download] = await Promise.all([page.waitForEvent('download'), dialog.getByRole('button', { name: 'Download' }).press('Enter')])
    expect(download.suggestedFilename()).toBe('walker.pem')
    expect(readFileSync(await download.path(), 'utf8')).toBe(shown)
    await expect(dialog.getByText('Downloaded.')).toBeVisible()
    await page.keyboard.press('Escape')
    await expect(dialog).toBeHidden()
    expect(await page.content()).not.toContain('PRIVATE KEY')
    await page.getByRole('link', { name: 'walker' }).press('Enter')
    await expect(heading(page, 'walker')).toBeVisible()
    await expect(page.getByText(/^([0-9a-f]{2}:){15}[0-9a-f]{2}$|^SHA256:/)).toBeVisible()
    await expect(
      page
        .getByText(/^ssh-rsa /)
        .or(page.locator('input[value^="ssh-rsa "]'))
        .first(),
    ).toBeVisible()
    await expectAccessible(page)
    await page.getByRole('button', { name: 'Delete', exact: true }).press('Enter')
    await confirmDelete(page)
    await expect(heading(page, 'Key pairs')).toBeVisible()
    await expect(page.getByText('No key pairs yet')).toBeVisible()
  })

  test('a certificate is downloaded in binary; the way back asks, too', async () => {
    await page.getByRole('button', { name: 'Create key pair' }).click()
    const dialog = await openDialog(page)
    await dialog.getByLabel('Name').fill('windows')
    await dialog.getByLabel('Kind').selectOption('X.509 certificate (Windows)')
    await dialog.getByRole('button', { name: 'Create', exact: true }).click()
    await expect(dialog.getByLabel('Private key')).toBeVisible()
    await page.goBack()
    await expect(dialog.getByText('Close without keeping the private key?')).toBeVisible()
    await dialog.getByRole('button', { name: 'Back to the key' }).click()
    const [download] = await Promise.all([page.waitForEvent('download'), dialog.getByRole('button', { name: 'Download' }).click()])
    expect(download.suggestedFilename()).toBe('windows.pfx')
    expect(readFileSync(await download.path())[0]).toBe(0x30)
    await dialog.getByRole('button', { name: 'Close' }).last().click()
    await expect(row(page, 'windows').getByText('X.509')).toBeVisible()
  })

  test('nothing failed on the way', () => {
    expect(complaints).toEqual([])
  })
})
