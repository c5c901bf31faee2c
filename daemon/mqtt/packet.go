package mqtt

import (
	"bufio"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

var errPacket = errors.New("the broker sent a packet that is too long or that nobody asked for")

// packetConn is a connection to a broker, which may be broken or hostile. The
// library allocates as much as the header of a packet announces, up to 256 MiB,
// and writes to a connection that may be gone already in answer to the packets of
// QoS 2, which nobody here asks for; here the header of such a packet, or of one that
// is longer than most, ends the connection. Every write has a deadline; reads have
// none, since keep-alive finds a silent broker.
type packetConn struct {
	net.Conn
	sync.Mutex // the library holds it for a whole packet
	write      time.Duration
	most       int // bytes of a packet

	r *bufio.Reader
	// The place in the packet: the bytes of its body still to come, or the
	// digits of its length so far.
	body   int
	header bool // the first byte has come
	length int
	shift  int
}

func newPacketConn(c net.Conn, write time.Duration, most int) *packetConn {
	return &packetConn{Conn: c, write: write, most: most, r: bufio.NewReaderSize(c, 512)}
}

// Read returns one byte of a header at a time, or some of a body.
func (c *packetConn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if c.body > 0 {
		n, err := c.r.Read(p[:min(len(p), c.body)])
		c.body -= n
		return n, err
	}
	b, err := c.r.ReadByte()
	if err != nil {
		return 0, err
	}
	if err := c.advance(b); err != nil {
		return 0, err
	}
	p[0] = b
	return 1, nil
}

// advance takes in a byte of the header: the kind of packet, then up to four
// digits of its length, the lowest first, the last without the high bit.
func (c *packetConn) advance(b byte) error {
	if !c.header {
		if !expected(b) {
			return errPacket
		}
		c.header, c.length, c.shift = true, 0, 0
		return nil
	}
	c.length |= int(b&0x7f) << c.shift
	c.shift += 7
	more := b&0x80 != 0
	if c.length > c.most || more && c.shift > 21 {
		return errPacket
	}
	if !more {
		c.header, c.body = false, c.length
	}
	return nil
}

// expected says whether a broker may send a packet with this first byte to a
// Session, which subscribes with QoS 0 and publishes with QoS 1.
func expected(first byte) bool {
	switch first >> 4 {
	case packets.PUBLISH:
		qos := first >> 1 & 3
		return qos == 0
	case packets.CONNACK, packets.PUBACK, packets.SUBACK, packets.PINGRESP, packets.DISCONNECT:
		return true
	}
	return false
}

func (c *packetConn) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(c.write)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}
