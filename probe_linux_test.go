package ragedge

import (
	"fmt"
	"runtime/debug"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// TestProbeLoadsReadsAllAndNoMore runs over three pages between two that cannot be
// read, and then with each of the three closed in turn: that must fault.
func TestProbeLoadsReadsAllAndNoMore(t *testing.T) {
	page := syscall.Getpagesize()
	m, err := syscall.Mmap(-1, 0, 5*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	require.NoError(t, err)
	defer func() { require.NoError(t, syscall.Munmap(m)) }()
	protect := func(i, mode int) { require.NoError(t, syscall.Mprotect(m[i*page:(i+1)*page], mode)) }
	protect(0, syscall.PROT_NONE)
	protect(4, syscall.PROT_NONE)
	x := unsafe.Slice((*float32)(unsafe.Pointer(&m[page])), 3*page/4)

	for _, set := range KernelSets() {
		force(t, set)
		require.NoError(t, fault(func() { ProbeLoads(x, 2) }), set)
		for i := 1; i <= 3; i++ {
			protect(i, syscall.PROT_NONE)
			require.Error(t, fault(func() { ProbeLoads(x, 2) }), "%s does not read page %d", set, i)
			protect(i, syscall.PROT_READ|syscall.PROT_WRITE)
		}
	}
}

// fault calls f and returns the memory fault it ends with, nil without one.
func fault(f func()) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	f()
	return nil
}
