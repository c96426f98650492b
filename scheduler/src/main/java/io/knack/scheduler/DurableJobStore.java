package io.knack.scheduler;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.quartz.utils.ConnectionProvider;

/** Quartz's tables in an H2 file, so that a restart knows what was missed. */
final class DurableJobStore {
  private DurableJobStore() {}

  static String url(Path database) {
    return "jdbc:h2:file:" + database.toAbsolutePath() + ";DB_CLOSE_ON_EXIT=FALSE";
  }

  /** Makes the tables that Quartz ships for H2, unless they are there. */
  static void prepare(Path database) throws IOException {
    try (Connection connection = DriverManager.getConnection(url(database), "sa", "");
        Statement statement = connection.createStatement()) {
      try (ResultSet tables =
          connection.getMetaData().getTables(null, null, "QRTZ_JOB_DETAILS", null)) {
        if (tables.next()) {
          return;
        }
      }
      try (InputStream script =
          org.quartz.Scheduler.class.getResourceAsStream(
              "/org/quartz/impl/jdbcjobstore/tables_h2.sql")) {
        if (script == null) {
          throw new IOException("Quartz ships no tables_h2.sql any more");
        }
        String sql = new String(script.readAllBytes(), StandardCharsets.UTF_8);
        statement.execute(sql);
      }
    } catch (SQLException e) {
      throw new IOException(
          "the schedule's store "
              + database
              + " cannot be opened (another './knack schedule' on this home?): "
              + e.getMessage(),
          e);
    }
  }

  /** Made by Quartz, which sets the URL by its setter. */
  public static final class Connections implements ConnectionProvider {
    private String url = "";

    /** Quartz sets properties by name. */
    public void setUrl(String value) {
      url = value;
    }

    @Override
    public Connection getConnection() throws SQLException {
      return DriverManager.getConnection(url, "sa", "");
    }

    @Override
    public void initialize() {}

    @Override
    public void shutdown() {}
  }
}
