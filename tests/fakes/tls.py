"""Throw-away certificates for fakes that speak TLS; AWS_CA_BUNDLE or the like names `NAME.crt`."""
import ssl
import subprocess

LOCAL = "DNS:localhost,IP:127.0.0.1"


def certificate(folder, name, san=LOCAL):
    """Makes NAME.crt, which is its own authority, and NAME.key; returns the path of the former."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=test",
                    "-addext", "subjectAltName=" + san, "-keyout", folder / (name + ".key"), "-out",
                    folder / (name + ".crt")], check=True, capture_output=True)
    return folder / (name + ".crt")


def context(folder, name):
    """For Server(tls=...)."""
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ctx.load_cert_chain(folder / (name + ".crt"), folder / (name + ".key"))
    return ctx
