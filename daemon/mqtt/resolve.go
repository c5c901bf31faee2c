package mqtt

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"
)

// avahiSocket is where Avahi resolves names of the local network. A static binary
// has no other way to it: the system's resolver asks only DNS and /etc/hosts.
const avahiSocket = "/run/avahi-daemon/socket"

// resolve returns the address that Avahi knows for a name under .local, and any
// other name, or one that Avahi does not know, unchanged, for the system's
// resolver.
func resolve(ctx context.Context, socket, host string) string {
	if !strings.HasSuffix(strings.ToLower(strings.TrimSuffix(host, ".")), ".local") {
		return host
	}
	address, err := askAvahi(ctx, socket, host)
	if err != nil {
		return host
	}
	return address.String()
}

// avahiTimeout bounds one question to Avahi, which itself gives up after 5 s.
const avahiTimeout = 3 * time.Second

// askAvahi asks for the IPv4 address of a name, in Avahi's protocol of one line
// each way: "+ INTERFACE PROTOCOL NAME ADDRESS", or "-" and an error.
func askAvahi(ctx context.Context, socket, host string) (netip.Addr, error) {
	ctx, cancel := context.WithTimeout(ctx, avahiTimeout)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", socket)
	if err != nil {
		return netip.Addr{}, err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return netip.Addr{}, err
	}
	if _, err := fmt.Fprintf(conn, "RESOLVE-HOSTNAME-IPV4 %s\n", host); err != nil {
		return netip.Addr{}, err
	}
	line, err := bufio.NewReaderSize(conn, 1024).ReadSlice('\n')
	if err != nil {
		return netip.Addr{}, err
	}
	fields := strings.Fields(string(line))
	if len(fields) < 5 || fields[0] != "+" {
		return netip.Addr{}, fmt.Errorf("avahi: %q", line)
	}
	return netip.ParseAddr(fields[4])
}
