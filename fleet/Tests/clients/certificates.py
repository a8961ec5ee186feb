# SPDX-License-Identifier: Apache-2.0
"""Certificates of a test's own authority, by openssl."""
import os
import subprocess


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


class Authority:
    def __init__(self, folder, name="ca"):
        self.folder, self.name = folder, name
        self.certificate = f"{folder}/{name}.crt"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                f"/CN={name}", "-keyout", f"{folder}/{name}.key", "-out", self.certificate)

    def issue(self, name, names, usage="serverAuth"):
        """NAME.crt and NAME.key in the folder; replaced as a whole, as certbot does."""
        path = f"{self.folder}/{name}"
        with open(f"{path}.ext", "w", encoding="ascii") as file:
            file.write(f"subjectAltName={names}\nextendedKeyUsage={usage}\nbasicConstraints=CA:FALSE\n")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-keyout",
                f"{path}.key.new", "-out", f"{path}.csr")
        openssl("x509", "-req", "-in", f"{path}.csr", "-CA", self.certificate, "-CAkey", f"{self.folder}/{self.name}.key",
                "-CAcreateserial", "-days", "2", "-extfile", f"{path}.ext", "-out", f"{path}.crt.new")
        os.replace(f"{path}.key.new", f"{path}.key")
        os.replace(f"{path}.crt.new", f"{path}.crt")
