package sensor

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// movedBus notes whether the stack moved under a transfer that uses some of it,
// as it may under one that passes an address to the kernel as an integer.
type movedBus struct{ moved bool }

func (b *movedBus) Tx(uint16, []byte, []byte) error {
	var on [64]byte
	before := uintptr(unsafe.Pointer(&on))
	use(12 << 10)
	b.moved = uintptr(unsafe.Pointer(&on)) != before
	return nil
}

func (b *movedBus) Close() error { return nil }

//go:noinline
func use(stack int) byte {
	var frame [512]byte
	frame[stack%len(frame)] = 1
	if stack <= len(frame) {
		return frame[0]
	}
	return use(stack-len(frame)) + frame[1]
}

func TestTransfersOnAStillStack(t *testing.T) {
	transfer := func(bus Bus) {
		done := make(chan struct{})
		go func() { // a new goroutine begins with a small stack
			bus.Tx(0, nil, nil)
			close(done)
		}()
		<-done
	}
	var bare, guarded movedBus
	transfer(&bare)
	require.True(t, bare.moved, "without the reserve the stack moves, or this test shows nothing")
	transfer(still{&guarded})
	require.False(t, guarded.moved)
}
