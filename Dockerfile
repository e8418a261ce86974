# One image for every process of compose.yaml.
FROM python:3.11-slim
WORKDIR /app
ENV PYTHONUNBUFFERED=1 TIEOUT_STATE=/state
COPY requirements.txt constraints.txt ./
# The tested files on x86_64; the same top-level versions elsewhere.
RUN if [ "$(uname -m)" = x86_64 ]; \
    then pip install --no-cache-dir --no-deps --require-hashes -r constraints.txt; \
    else pip install --no-cache-dir -r requirements.txt; fi
COPY . .
RUN useradd --create-home tieout && mkdir -p /lake /anchors /state && chown tieout /lake /anchors /state \
    && SECRET_KEY=none DATABASE_URL=postgresql://none@none/none REDIS_URL=redis://none \
       python manage.py collectstatic --noinput -v0 && chown -R tieout /state
USER tieout
