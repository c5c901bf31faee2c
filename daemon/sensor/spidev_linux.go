package sensor

import (
	"fmt"
	"os"
	"runtime"
	"unsafe"
)

// spiTransfer is struct spi_ioc_transfer of linux/spi/spidev.h.
type spiTransfer struct {
	tx, rx        uint64
	length, hertz uint32
	delay         uint16
	bits          uint8
	_             [5]uint8
}

// spidev is /dev/spidevB.C in mode 0.
type spidev struct {
	file     *os.File
	transfer spiTransfer
}

// OpenSPIDevice opens /dev/spidevB.C, where B.C is the name.
func OpenSPIDevice(name string, hertz int) (SPIDevice, error) {
	f, err := os.OpenFile("/dev/spidev"+name, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	d := &spidev{file: f, transfer: spiTransfer{hertz: uint32(hertz), bits: 8}}
	mode := new(uint8)
	if err := ioctl(f, ioctlNumber[uint8](ioctlWrite, 'k', 1), unsafe.Pointer(mode)); err != nil {
		f.Close()
		return nil, err
	}
	return d, nil
}

func (d *spidev) Tx(w, r []byte) error {
	if len(w) == 0 || len(w) != len(r) {
		return fmt.Errorf("%d bytes to send and %d to receive must be as many, and at least one", len(w), len(r))
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(&w[0])
	pin.Pin(&r[0])
	d.transfer.tx = uint64(uintptr(unsafe.Pointer(&w[0])))
	d.transfer.rx = uint64(uintptr(unsafe.Pointer(&r[0])))
	d.transfer.length = uint32(len(w))
	return ioctl(d.file, ioctlNumber[spiTransfer](ioctlWrite, 'k', 0), unsafe.Pointer(&d.transfer))
}

func (d *spidev) Close() error { return d.file.Close() }
