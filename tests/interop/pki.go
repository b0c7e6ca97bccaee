package interop

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
)

// pki holds two separate trusts, as an installation has: one for frontends, one for agents.
type pki struct{ frontend, cluster *authority }

// authority is a certificate authority and the files of the identities it issued.
type authority struct {
	directory string
	cert      *x509.Certificate
	key       *ecdsa.PrivateKey
}

// certFiles names a certificate and its key on disk.
type certFiles struct{ cert, key string }

func newPKI(directory string) (*pki, error) {
	frontend, err := newAuthority(filepath.Join(directory, "frontend"))
	if err != nil {
		return nil, err
	}
	cluster, err := newAuthority(filepath.Join(directory, "cluster"))
	if err != nil {
		return nil, err
	}
	return &pki{frontend, cluster}, nil
}

// newAuthority makes a CA with a server and a client identity, all ECDSA P-256.
func newAuthority(directory string) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := certTemplate("interop CA")
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	a := &authority{directory: directory, key: key}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		return nil, err
	}
	if err := a.write(); err != nil {
		return nil, err
	}
	for _, name := range []string{"server", "client"} {
		if err := a.issue(name, certTemplate(name)); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// write makes the directory and puts the authority's certificate into it.
func (a *authority) write() error {
	if err := os.MkdirAll(a.directory, 0o755); err != nil {
		return err
	}
	return writePEM(a.caFile(), "CERTIFICATE", a.cert.Raw)
}

func (a *authority) caFile() string { return filepath.Join(a.directory, "ca.crt") }

func (a *authority) files(name string) certFiles {
	return certFiles{filepath.Join(a.directory, name+".crt"), filepath.Join(a.directory, name+".key")}
}

// issue writes a signed pair under the name; each file is replaced by rename, as a kubelet does.
func (a *authority) issue(name string, template *x509.Certificate) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return err
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	files := a.files(name)
	if err := writePEM(files.key, "PRIVATE KEY", encoded); err != nil {
		return err
	}
	return writePEM(files.cert, "CERTIFICATE", der)
}

func certTemplate(name string) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		panic(err)
	}
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		DNSNames:     []string{"localhost", "proxy.example"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
}

func writePEM(path, kind string, der []byte) error {
	block := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	if err := os.WriteFile(path+".new", block, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// clientTLS trusts this authority and presents its client identity.
func (a *authority) clientTLS(t testing.TB, protocols ...string) *tls.Config {
	t.Helper()
	return a.tlsConfig(t, "client", protocols)
}

// serverTLS presents the server identity and demands a client certificate of this authority.
func (a *authority) serverTLS(t testing.TB) *tls.Config {
	t.Helper()
	config := a.tlsConfig(t, "server", []string{"h2"})
	config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, config.RootCAs
	return config
}

func (a *authority) tlsConfig(t testing.TB, name string, protocols []string) *tls.Config {
	t.Helper()
	files := a.files(name)
	pair, err := tls.LoadX509KeyPair(files.cert, files.key)
	if err != nil {
		t.Fatalf("loading the %s identity: %v", name, err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	return &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: roots, ServerName: "127.0.0.1", NextProtos: protocols}
}
