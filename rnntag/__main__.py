from rnntag.cli import app

app(prog_name="rnntag")
