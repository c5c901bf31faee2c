package sink

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// certificate makes one that signs itself, for 127.0.0.1, valid around a moment.
// It returns it for a broker, and the name of its file.
func certificate(t *testing.T, around time.Time) (forBroker *tls.Config, file string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test broker"},
		NotBefore: around.Add(-time.Hour), NotAfter: around.Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:        true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	file = filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	require.NoError(t, os.WriteFile(file, text, 0o644))
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, file
}

func TestMQTTOverTLS(t *testing.T) {
	secure, file := certificate(t, time.Now())
	b := startBroker(t, nil, secure)
	p := startProxy(t, b.address, pass)
	m, _ := startMQTT(t, "", Config{URL: "mqtts://" + p.address, CAFile: file}, quick)
	m.Offer(answer(1))
	eventually(t, "delivered", func() bool { return m.Written() == 1 })
	p.set(reset)
	eventually(t, "gone", func() bool { return !m.Connected() })
	m.Offer(answer(2))
	p.set(pass)
	eventually(t, "delivered", func() bool { return m.Written() == 2 })
	finish(t, m, b)
	require.Equal(t, []uint64{1, 2}, seqs(t, b.on(stateTopic, lateTopic)))
}

func TestMQTTRejectsBadCertificates(t *testing.T) {
	good, file := certificate(t, time.Now())
	_, other := certificate(t, time.Now())
	past, pastFile := certificate(t, time.Now().AddDate(-1, 0, 0))
	future, futureFile := certificate(t, time.Now().AddDate(1, 0, 0))
	for name, c := range map[string]struct {
		broker *tls.Config
		file   string
		host   string
		want   string
	}{
		"signed by somebody else": {good, other, "127.0.0.1", "set ca_file to the certificate of who signed it"},
		"not one of the system's": {good, "", "127.0.0.1", "set ca_file to the certificate of who signed it"},
		"for another host":        {good, file, "localhost", "localhost"},
		"too old":                 {past, pastFile, "127.0.0.1", "the clock of this machine says 2"},
		"not valid yet":           {future, futureFile, "127.0.0.1", "the clock of this machine says 2"},
		"the file is gone":        {good, filepath.Join(t.TempDir(), "gone.pem"), "127.0.0.1", "ca_file: "},
		"the broker has no TLS":   {nil, file, "127.0.0.1", "TLS with 127.0.0.1:"},
	} {
		t.Run(name, func(t *testing.T) {
			b := startBroker(t, nil, c.broker)
			_, port, err := net.SplitHostPort(b.address)
			require.NoError(t, err)
			m, _ := startMQTT(t, "", Config{URL: "mqtts://" + net.JoinHostPort(c.host, port), CAFile: c.file}, quick)
			eventually(t, "refused", func() bool { return m.LastError() != nil })
			require.ErrorContains(t, m.LastError(), c.want)
			require.Zero(t, m.Connects())
		})
	}
	t.Run("the broker wants TLS", func(t *testing.T) {
		b := startBroker(t, nil, good)
		m, _ := startMQTT(t, b.address, Config{}, quick)
		eventually(t, "refused", func() bool { return m.LastError() != nil })
		require.ErrorContains(t, m.LastError(), "an mqtts:// url if it wants TLS")
	})
}
