/** The programs of the tiny Linux: what runs in the guest from the kernel's first step to the shell. BusyBox is the only binary. */

/** Process 1: makes the file systems that everything needs, then becomes BusyBox's init. */
const init = `#!/bin/sh
busybox mkdir -p /proc /sys /dev /run /tmp /mnt /root /sbin /usr/bin /usr/sbin
busybox mount -t proc proc /proc
busybox mount -t sysfs sysfs /sys
busybox mount -t devtmpfs dev /dev
busybox mkdir -p /dev/pts
busybox mount -t devpts devpts /dev/pts
busybox --install -s /bin
exec /bin/init
`

/** Shells without a login: who reaches the console may do everything, as with any machine. */
const inittab = `::sysinit:/etc/boot
ttyS0::respawn:-/bin/sh
tty1::respawn:-/bin/sh
::once:/etc/power-button
::ctrlaltdel:/bin/reboot -f
`

const boot = `#!/bin/sh
export PATH=/bin:/sbin HOME=/root
say() { for terminal in /dev/ttyS0 /dev/tty1; do echo "$*" > $terminal; done 2>/dev/null; }
say "Kilonova tiny Linux starts"
while read -r module; do insmod "/lib/modules/$module" || say "module $module: failed"; done < /etc/modules
ip link set lo up

# The drives show up a moment after their drivers.
drive=
for try in 1 2 3 4 5 6 7 8 9 10; do
  drive=$(findfs LABEL=config-2 2>/dev/null) && break
  [ -e /sys/class/block/sr0 ] || [ "$try" -lt 5 ] || break
  usleep 200000
done
if [ -n "$drive" ] && mount -o ro -t iso9660 "$drive" /mnt; then
  say "config drive found on $drive"
  facts=/mnt/ec2/latest/meta-data.json
  value() { grep -o "\\"$1\\": *\\"[^\\"]*\\"" "$2" | head -n 1 | sed 's/^[^:]*: *"//; s/"$//'; }
  name=$(value local-hostname "$facts")
  key=$(value openssh-key "$facts")
  if [ -n "$key" ]; then
    mkdir -p -m 700 /root/.ssh
    printf '%b\\n' "$key" > /root/.ssh/authorized_keys
    chmod 600 /root/.ssh/authorized_keys
  fi
  script=/mnt/openstack/latest/user_data
  if [ -f "$script" ] && [ "$(head -c 2 "$script")" = "#!" ]; then
    cp "$script" /run/user_data
    chmod 700 /run/user_data
  fi
  umount /mnt
fi
name=\${name%%.*}
hostname "\${name:-kilonova}"

for interface in /sys/class/net/*; do
  interface=\${interface##*/}
  [ "$interface" = lo ] && continue
  ip link set "$interface" up
  udhcpc -i "$interface" -s /etc/dhcp -x "hostname:$(hostname)" -O mtu -O staticroutes -b -t 6 -T 1 -A 1 -p "/run/dhcp.$interface" >/dev/null 2>&1
done
if [ -x /run/user_data ]; then
  say "user data runs"
  setsid /run/user_data < /dev/null > /dev/console 2>&1 &
fi
dmesg -n 4
address=$(ip -4 -o addr show scope global | sed 's/.*inet \\([0-9.]*\\).*/\\1/' | head -n 1)
say ""
say "Kilonova tiny Linux ready: host $(hostname), address \${address:-none}, $(nproc) CPU, $(free -m | sed -n 's/^Mem: *\\([0-9]*\\).*/\\1/p') MB"
`

/** Called by udhcpc with what the DHCP server said in variables. */
const dhcp = `#!/bin/sh
case "$1" in
  deconfig) ip addr flush dev "$interface" ;;
  bound|renew)
    ip addr flush dev "$interface"
    ip addr add "$ip/\${mask:-24}" dev "$interface"
    [ -n "$mtu" ] && ip link set "$interface" mtu "$mtu"
    if [ -n "$staticroutes" ]; then
      set -- $staticroutes
      while [ $# -ge 2 ]; do
        [ "$2" = 0.0.0.0 ] && ip route add "$1" dev "$interface" || ip route add "$1" via "$2" dev "$interface"
        shift 2
      done
    else
      for gateway in $router; do ip route add default via "$gateway" dev "$interface" && break; done
    fi
    : > /etc/resolv.conf
    for server in $dns; do echo "nameserver $server" >> /etc/resolv.conf; done
    ;;
esac 2>/dev/null
exit 0
`

/** An event is 24 bytes; the first one of the button is its press. */
const powerButton = `#!/bin/sh
for device in /sys/class/input/event*; do
  [ "$(cat "$device/device/name")" = "Power Button" ] || continue
  dd if="/dev/input/\${device##*/}" of=/dev/null bs=24 count=1 2>/dev/null
  echo "Kilonova tiny Linux powers off" > /dev/console
  sync
  poweroff -f
done
`

const profile = `export PATH=/bin:/sbin HOME=/root TERM=linux
export PS1='\\h:\\w# '
cd
`

/** Paths and contents; all of them are programs or are read by programs of BusyBox. */
export const guestFiles: readonly { path: string; content: string; executable: boolean }[] = [
  { path: 'init', content: init, executable: true },
  { path: 'etc/inittab', content: inittab, executable: false },
  { path: 'etc/boot', content: boot, executable: true },
  { path: 'etc/dhcp', content: dhcp, executable: true },
  { path: 'etc/power-button', content: powerButton, executable: true },
  { path: 'etc/profile', content: profile, executable: false },
  { path: 'etc/nsswitch.conf', content: 'hosts: files dns\n', executable: false },
  { path: 'etc/hosts', content: '127.0.0.1 localhost\n', executable: false },
  { path: 'etc/passwd', content: 'root:x:0:0:root:/root:/bin/sh\n', executable: false },
  { path: 'etc/group', content: 'root:x:0:\n', executable: false },
]

/** Drivers for what guests are given: disk, network, CD, console channel, entropy, balloon, power button. */
export const guestModules: readonly string[] = [
  'virtio_pci',
  'virtio_blk',
  'virtio_net',
  'virtio_console',
  'virtio_rng',
  'virtio_balloon',
  'virtio_scsi',
  'ata_piix',
  'sr_mod',
  'isofs',
  'button',
  'evdev',
]

/** Both consoles see the kernel's messages; the serial one is the last and so the one programs write to. */
export const kernelArguments = 'console=tty0 console=ttyS0,115200 no_timer_check panic=10 rdinit=/init'
