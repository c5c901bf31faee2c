package mqtt

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/ragedge/ragedge/daemon/secret"
)

// dropIn is the file of this project's systemd folder that opens the unit's
// address filter.
const dropIn = "20-mqtt.conf"

const fix = "install " + dropIn + " in /etc/systemd/system/ragedge.service.d and run systemctl daemon-reload"

// dialer connects to one broker.
type dialer struct {
	broker  address
	caFile  string
	avahi   string // Avahi's socket
	service bool   // systemd runs this process, by our unit of type notify
}

func newDialer(b address, caFile string) *dialer {
	return &dialer{broker: b, caFile: caFile, avahi: avahiSocket, service: os.Getenv("NOTIFY_SOCKET") != ""}
}

// dial returns a connection to the broker, with TLS where its URL asks for it.
// ctx bounds all of it.
func (d *dialer) dial(ctx context.Context) (net.Conn, error) {
	var direct net.Dialer
	host := resolve(ctx, d.avahi, d.broker.host)
	conn, err := direct.DialContext(ctx, "tcp", net.JoinHostPort(host, d.broker.port))
	if err != nil {
		return nil, d.explain(err)
	}
	if !d.broker.tls {
		return conn, nil
	}
	secure, err := d.handshake(ctx, conn)
	if err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}

// handshake reads the CA file anew, so that a new one needs no restart. Without
// one the system's certificates are loaded, which costs a megabyte or two.
func (d *dialer) handshake(ctx context.Context, conn net.Conn) (net.Conn, error) {
	c := &tls.Config{ServerName: d.broker.host, MinVersion: tls.VersionTLS12}
	if d.caFile != "" {
		pool, err := secret.Certificates(d.caFile)
		if err != nil {
			return nil, fmt.Errorf("ca_file: %w", err)
		}
		c.RootCAs = pool
	}
	secure := tls.Client(conn, c)
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, explainTLS(fmt.Errorf("TLS with %s: %w", d.broker, err))
	}
	return secure, nil
}

// explain adds to the error of a dial what to do, where the unit's filter may be
// the reason. A forbidden address family or system call fails at once; packets
// that a filter of addresses drops look like a broker that does not answer.
func (d *dialer) explain(err error) error {
	var timeout net.Error
	switch {
	case refused(err):
		return fmt.Errorf("%w; the unit's address filter, or a firewall on this machine, forbids it: %s", err, fix)
	case d.service && errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("%w; if the broker is up, the unit's address filter drops the packets: %s", err, fix)
	}
	return err
}

// refused reports whether this machine itself forbade to connect or to ask DNS,
// whose error keeps only the text.
func refused(err error) bool {
	for _, number := range []syscall.Errno{syscall.EPERM, syscall.EACCES, syscall.EAFNOSUPPORT} {
		if errors.Is(err, number) {
			return true
		}
	}
	dns, ok := errors.AsType[*net.DNSError](err)
	return ok && strings.Contains(dns.Err, syscall.EPERM.Error())
}

// explainTLS adds what to look at to a failed check of the broker's certificate.
func explainTLS(err error) error {
	if _, unknown := errors.AsType[x509.UnknownAuthorityError](err); unknown {
		return fmt.Errorf("%w; set ca_file to the certificate of who signed it", err)
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return fmt.Errorf("%w; the clock of this machine says %s", err, time.Now().UTC().Format(time.DateOnly))
	}
	return err
}
