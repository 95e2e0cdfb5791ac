# The smallest guest there is: one sector, started by the BIOS, for tests of the driver. It speaks on COM1 only.
# It says "guest is up" when it listens, repeats every byte it gets, and obeys four: o = power off, r = reset,
# d = deaf to the power button from now on, f = fill the log with 64 KiB.
# Assemble: as --32 boot-guest.S -o guest.o && ld -m elf_i386 -Ttext 0x7c00 --oformat binary guest.o -o guest.bin
.code16
.globl _start
_start:
        ljmp    $0, $start
start:  xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %ss
        movw    $0x7000, %sp
# ACPI of QEMU's pc machine, as its firmware sets it up: status 0x600, enable 0x602, control 0x604; bit 8 is the power button.
        movw    $0x602, %dx
        movw    $0x100, %ax
        outw    %ax, %dx
        sti
        movw    $greeting, %si
        call    say
wait:   hlt                             # the timer wakes it 18 times a second
poll:   testb   $1, deaf
        jnz     input
        movw    $0x600, %dx
        inw     %dx, %ax
        testb   $1, %ah
        jz      input
        movw    $farewell, %si
        call    say
        jmp     off
input:  movw    $0x3fd, %dx
        inb     %dx, %al
        testb   $1, %al
        jz      wait
        movw    $0x3f8, %dx
        inb     %dx, %al
        call    put
        cmpb    $'o', %al
        je      off
        cmpb    $'r', %al
        je      reset
        cmpb    $'f', %al
        je      fill
        cmpb    $'d', %al
        jne     poll
        movb    $1, deaf
        jmp     poll
off:    movw    $0x604, %dx
        movw    $0x2000, %ax
        outw    %ax, %dx
        hlt
reset:  movb    $0xfe, %al
        outb    %al, $0x64
        hlt
fill:   movw    $1024, %cx              # lines of 64 bytes
1:      movw    $line, %si
        call    say
        loop    1b
        movw    $filled, %si
        call    say
        jmp     poll
say:    lodsb
        testb   %al, %al
        jz      2f
        call    put
        jmp     say
2:      ret
put:    pushw   %ax
        movw    $0x3fd, %dx
3:      inb     %dx, %al
        testb   $0x20, %al
        jz      3b
        popw    %ax
        movw    $0x3f8, %dx
        outb    %al, %dx
        ret
deaf:   .byte   0
greeting: .asciz "guest is up\r\n> "
farewell: .asciz "power button\r\n"
line:   .asciz  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd\r\n"
filled: .asciz  "filled\r\n"
        .org    510
        .word   0xaa55
