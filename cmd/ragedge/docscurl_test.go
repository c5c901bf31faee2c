package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path"
	"strings"
)

// curl does what the pages ask curl to do, and ends with 22 when the server refuses,
// where the real one ends with 0. It knows no --json, as curl before 7.82 (Ubuntu
// 22.04, JetPack 6).
func curl(args []string) error {
	flags := flag.NewFlagSet("curl", flag.ContinueOnError)
	socket := flags.String("unix-socket", "", "")
	remote := flags.Bool("O", false, "")
	data := flags.String("d", "", "")
	header := flags.String("H", "", "")
	authority := flags.String("cacert", "", "")
	var url string
	for len(args) > 0 { // the URL may stand between flags
		if err := flags.Parse(args); err != nil {
			return err
		}
		if args = flags.Args(); len(args) > 0 {
			url, args = args[0], args[1:]
		}
	}
	method := http.MethodGet
	if *data != "" {
		method = http.MethodPost
	}
	request, err := http.NewRequest(method, url, strings.NewReader(*data))
	if err != nil {
		return err
	}
	if *data != "" {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if name, value, ok := strings.Cut(*header, ": "); ok {
		request.Header.Set(name, value)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: x509.NewCertPool()}}
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if *socket != "" {
			network, address = "unix", *socket
		}
		return new(net.Dialer).DialContext(ctx, network, strings.Replace(address, "board.local:", "127.0.0.1:", 1))
	}
	if *authority != "" {
		text, err := os.ReadFile(*authority)
		if err != nil {
			return err
		}
		transport.TLSClientConfig.RootCAs.AppendCertsFromPEM(text)
	}
	reply, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	if err != nil {
		return err
	}
	if reply.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", reply.Status, body)
	}
	if *remote {
		return os.WriteFile(path.Base(request.URL.Path), body, 0o644)
	}
	_, err = os.Stdout.Write(body)
	return err
}
